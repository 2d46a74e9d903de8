//! The page's borders.

use super::{Faults, Sources};

const ENDINGS: &[&str] = &[".ts", ".js", ".mjs", ".svelte", ".html", ".css"];

/// Only the backend's folder imports Tauri's packages, so that the page runs in a browser as well.
pub fn tauri_imports(sources: &Sources) -> Faults {
    sources
        .under("ui/src/", ENDINGS)
        .filter(|(path, text)| !path.starts_with("ui/src/lib/backend/") && text.contains("@tauri-apps/"))
        .map(|(path, _)| format!("{path} imports @tauri-apps"))
        .collect()
}

/// Nothing that ships with the page is fetched from elsewhere. The names of XML namespaces are no addresses.
pub fn remote_content(sources: &Sources) -> Faults {
    let mut faults = Faults::new();
    for (path, text) in sources.under("ui/", ENDINGS).filter(|(path, _)| ships(path)) {
        for (idx, line) in text.lines().enumerate() {
            let rest = line.replace("http://www.w3.org/", "");
            let fetches = [
                "src=\"http",
                "href=\"http",
                "url(http",
                "url(\"http",
                "@import \"http",
                "from \"http",
                "fetch(\"http",
            ];
            if let Some(sign) = fetches.iter().find(|sign| rest.contains(**sign)) {
                faults.push(format!("{path}:{}: `{sign}`", idx + 1));
            }
        }
    }
    faults
}

fn ships(path: &str) -> bool {
    (path == "ui/index.html" || path.starts_with("ui/src/") || path.starts_with("ui/public/"))
        && !path.contains(".test.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tauri_is_imported_in_one_place() {
        let sources = Sources::of(&[
            ("ui/src/lib/backend/tauri.ts", "import { invoke } from \"@tauri-apps/api/core\";"),
            ("ui/src/features/chat/Chat.svelte", "import { invoke } from \"@tauri-apps/api/core\";"),
        ]);
        assert_eq!(tauri_imports(&sources), ["ui/src/features/chat/Chat.svelte imports @tauri-apps"]);
    }

    #[test]
    fn remote_content_is_found() {
        let sources = Sources::of(&[
            ("ui/index.html", "<svg xmlns=\"http://www.w3.org/2000/svg\">\n<script src=\"https://cdn.example/a.js\">"),
            ("ui/src/a.test.ts", "<img src=\"http://evil.example/\">"),
        ]);
        assert_eq!(remote_content(&sources), ["ui/index.html:2: `src=\"http`"]);
    }
}
