//! A command exists in five places; they have to name the same ones.
//!
//! That the bindings' types are current is checked by the test of the root package that writes them.

use std::collections::BTreeSet;

use super::{Faults, Sources};

/// Compares the functions marked as commands with every list of commands.
pub fn agree(sources: &Sources) -> Faults {
    let code = |folder| sources.under(folder, &[".rs"]).map(|(_, text)| text).collect::<Vec<_>>().join("\n");
    let functions = functions(&code("src-tauri/src/commands/"));
    if functions.is_empty() {
        return vec!["there is no command in src-tauri/src/commands".to_owned()];
    }
    let permissions: String = sources.under("src-tauri/permissions/", &[".toml"]).map(|(_, text)| text).collect();
    let bindings = sources.text("ui/src/lib/backend/bindings.ts").unwrap_or("");
    let registered = sources.text("src-tauri/src/lib.rs").map(registered).unwrap_or_default();
    let lists = [
        ("collect_commands! in src-tauri/src/lib.rs", registered),
        ("the permissions in src-tauri/permissions", permitted(&permissions)),
        ("ui/src/lib/backend/bindings.ts", after_each(bindings, "__TAURI_INVOKE(\"")),
    ];
    let mut faults = Faults::new();
    for (place, names) in lists {
        faults.extend(functions.difference(&names).map(|name| format!("`{name}` is missing in {place}")));
        faults.extend(names.difference(&functions).map(|name| format!("{place} names `{name}`, which does not exist")));
    }
    let host = quoted(&code("crates/web-host/src/"));
    faults.extend(functions.difference(&host).map(|name| format!("`{name}` is missing in crates/web-host")));
    faults
}

/// Names of the functions marked `#[tauri::command]`.
fn functions(code: &str) -> BTreeSet<String> {
    code.split("#[tauri::command").skip(1).filter_map(|rest| Some(word(rest.split_once("fn ")?.1))).collect()
}

/// Names in the list given to `collect_commands!`.
fn registered(code: &str) -> BTreeSet<String> {
    let Some((_, rest)) = code.split_once("collect_commands![") else { return BTreeSet::new() };
    let list = rest.split(']').next().unwrap_or("");
    list.split(',')
        .map(|path| word(path.trim().rsplit("::").next().unwrap_or("")))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Names in the lists of commands that permissions allow.
fn permitted(toml: &str) -> BTreeSet<String> {
    let lists = toml.split("allow = [").skip(1).filter_map(|rest| rest.split(']').next());
    lists.flat_map(quoted).collect()
}

/// Everything between quotation marks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The word behind each `mark`.
fn after_each(text: &str, mark: &str) -> BTreeSet<String> {
    text.split(mark).skip(1).map(word).collect()
}

/// The letters, digits and underscores at the beginning.
fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: &str = "#[tauri::command]\n#[specta::specta]\npub async fn chat_ask(app: State<'_, App>) {}\n\
                            #[tauri::command(async)]\npub fn page_ready() {}\n";

    fn check(lib: &str, permissions: &str, bindings: &str, host: &str) -> Faults {
        agree(&Sources::of(&[
            ("src-tauri/src/commands/chat.rs", COMMANDS),
            ("src-tauri/src/lib.rs", lib),
            ("src-tauri/permissions/app.toml", permissions),
            ("ui/src/lib/backend/bindings.ts", bindings),
            ("crates/web-host/src/main.rs", host),
        ]))
    }

    const LIB: &str = "collect_commands![chat::chat_ask, app_info::page_ready,]";
    const ALLOW: &str = "[[permission]]\nidentifier = \"x\"\ncommands.allow = [\n\"chat_ask\",\n\"page_ready\"]\n";
    const BINDINGS: &str = "a: __TAURI_INVOKE(\"chat_ask\", {}), b: __TAURI_INVOKE(\"page_ready\")";
    const HOST: &str = "match name { \"chat_ask\" => 1, \"page_ready\" => 2 }";

    #[test]
    fn agreeing_lists_are_fine() {
        assert_eq!(check(LIB, ALLOW, BINDINGS, HOST), Faults::new());
    }

    #[test]
    fn a_gap_in_any_list_is_found() {
        assert_eq!(check("collect_commands![chat::chat_ask]", ALLOW, BINDINGS, HOST).len(), 1);
        assert_eq!(check(LIB, "commands.allow = [\"chat_ask\"]", BINDINGS, HOST).len(), 1);
        assert_eq!(check(LIB, ALLOW, "__TAURI_INVOKE(\"chat_ask\")", HOST).len(), 1);
        assert_eq!(check(LIB, ALLOW, BINDINGS, "\"chat_ask\"").len(), 1);
        let more = "commands.allow = [\"chat_ask\", \"page_ready\", \"shell\"]";
        assert_eq!(
            check(LIB, more, BINDINGS, HOST),
            ["the permissions in src-tauri/permissions names `shell`, which does not exist"]
        );
    }
}
