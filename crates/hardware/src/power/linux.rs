//! Linux's files under `/sys/class/power_supply`: one folder for each battery and each thing that charges it.

use std::{fs, path::Path};

/// What one folder says.
struct Supply {
    kind: String,
    online: Option<bool>,
    status: String,
}

/// Whether the computer whose supplies are in `folder` runs on a battery; none where that is not told.
pub(super) fn read(folder: &Path) -> Option<bool> {
    let supplies: Vec<Supply> =
        fs::read_dir(folder).ok()?.flatten().filter_map(|entry| supply(&entry.path())).collect();
    let of = |kind: &'static str| supplies.iter().filter(move |supply| supply.kind == kind);
    let discharging = || of("Battery").any(|battery| battery.status == "Discharging");
    if of("Battery").next().is_none() || of("Mains").any(|mains| mains.online == Some(true)) {
        // A battery may discharge all the same, where the charger is too weak; somebody has plugged it in.
        return Some(false);
    }
    // Before the USB ports: one that feeds a telephone is online too.
    if discharging() {
        return Some(true);
    }
    if of("USB").any(|port| port.online == Some(true)) {
        return Some(false);
    }
    if of("Mains").any(|mains| mains.online == Some(false)) {
        return Some(true);
    }
    let resting = |status: &str| matches!(status, "Charging" | "Full" | "Not charging");
    of("Battery").any(|battery| resting(&battery.status)).then_some(false)
}

/// None for a mouse's or a telephone's battery.
fn supply(folder: &Path) -> Option<Supply> {
    let text = |name: &str| Some(fs::read_to_string(folder.join(name)).ok()?.trim().to_owned());
    if text("scope").as_deref() == Some("Device") {
        return None;
    }
    let online = text("online").map(|online| online != "0");
    Some(Supply { kind: text("type")?, online, status: text("status").unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tree;

    fn check(tree: &str, expected: Option<bool>) {
        assert_eq!(read(test_tree::unpack(tree).path()), expected, "{tree}");
    }

    const CHARGER: &str = "AC/type Mains\nAC/online 1\n";
    const NO_CHARGER: &str = "AC/type Mains\nAC/online 0\n";
    const MOUSE: &str = "hid/type Battery\nhid/scope Device\nhid/status Discharging\n";

    fn battery(status: &str) -> String {
        format!("BAT0/type Battery\nBAT0/status {status}\n")
    }

    #[test]
    fn a_laptop() {
        check(&(battery("Discharging") + NO_CHARGER), Some(true));
        check(&(battery("Charging") + CHARGER), Some(false));
        check(&(battery("Full") + CHARGER), Some(false));
        // Too weak a charger, or a battery kept at 80 %.
        check(&(battery("Discharging") + CHARGER), Some(false));
        check(&(battery("Not charging") + CHARGER), Some(false));
        // Just unplugged: the battery's controller has not noticed.
        check(&(battery("Unknown") + NO_CHARGER), Some(true));
    }

    #[test]
    fn a_laptop_that_charges_over_usb() {
        let port = |online| format!("ucsi/type USB\nucsi/online {online}\n");
        check(&(battery("Charging") + &port(1)), Some(false));
        check(&(battery("Discharging") + &port(0)), Some(true));
        // The port feeds a telephone.
        check(&(battery("Discharging") + &port(1)), Some(true));
        check(&(battery("Discharging") + NO_CHARGER + &port(1)), Some(true));
    }

    #[test]
    fn two_batteries() {
        let second = "BAT1/type Battery\nBAT1/status Unknown\n";
        check(&(battery("Discharging") + second), Some(true));
        check(&(battery("Charging") + second), Some(false));
    }

    #[test]
    fn a_computer_without_a_battery() {
        let empty = tempfile::tempdir().expect("a folder");
        assert_eq!(read(empty.path()), Some(false));
        check(CHARGER, Some(false));
        check(MOUSE, Some(false));
        check(&(MOUSE.to_owned() + &battery("Full")), Some(false));
    }

    #[test]
    fn what_is_not_told_is_not_guessed() {
        assert_eq!(read(Path::new("/nowhere/power_supply")), None);
        check(&battery("Unknown"), None);
        check("BAT0/type Battery\n", None);
    }
}
