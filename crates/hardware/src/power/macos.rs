//! The first line of `pmset -g batt`.

/// Whether `text` says that the computer runs on a battery, its own or a buffered supply's.
pub(super) fn parse(text: &str) -> Option<bool> {
    let source = text.lines().find_map(|line| line.trim().strip_prefix("Now drawing from '")?.strip_suffix('\''))?;
    match source {
        "Battery Power" | "UPS Power" => Some(true),
        "AC Power" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_pmset() {
        let battery = "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t87%; discharging; 5:12 remaining present: true\n";
        assert_eq!(parse(battery), Some(true));
        let charger = "Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining present: true\n";
        assert_eq!(parse(charger), Some(false));
        assert_eq!(parse("Now drawing from 'AC Power'\n"), Some(false));
        assert_eq!(parse("Now drawing from 'Moonlight'\n"), None);
        assert_eq!(parse(""), None);
    }
}
