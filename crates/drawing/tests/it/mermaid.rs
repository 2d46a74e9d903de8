//! Mermaid text: one node a line, and no label that means anything.

use drawing::mermaid;
use proptest::prelude::*;
use tutor::tools::MindMap;

use crate::strange::{self, ATTACKS, full_of};

/// Depths and labels, read by the few rules that we write by.
fn read(text: &str) -> Vec<(usize, String)> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("mindmap"));
    lines
        .map(|line| {
            let node = line.trim_start_matches(' ');
            let depth = (line.len() - node.len()) / 2;
            let (name, rest) = node.split_at(node.find(['(', '[']).expect("an opening bracket"));
            assert!(name == "root" || name.strip_prefix('n').is_some_and(|n| n.parse::<u32>().is_ok()), "{line}");
            let (open, close) = match (depth, &rest[..1]) {
                (1, _) => ("((\"", "\"))"),
                (2, _) => ("[\"", "\"]"),
                _ => ("(\"", "\")"),
            };
            let label = rest.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).expect(line);
            (depth, label.to_owned())
        })
        .collect()
}

fn check(map: &MindMap) {
    let nodes = read(&mermaid(map));
    let mut depths = vec![1];
    for branch in &map.children {
        depths.push(2);
        for leaf in &branch.children {
            depths.push(3);
            depths.extend(leaf.children.iter().map(|_| 4));
        }
    }
    assert_eq!(nodes.iter().map(|(depth, _)| *depth).collect::<Vec<_>>(), depths);
    for (_, label) in nodes {
        assert!(!label.trim().is_empty());
        for bad in ['"', '`', '<', '>', '\\', '#', '{', '}', '[', ']', '*', '|', '~', '@'] {
            assert!(!label.contains(bad), "{label}");
        }
        for bad in ["%%", "$$", "::", "---", "fa:fa", "://", "&lt;", "&amp;", "www."] {
            assert!(!label.contains(bad), "{label}");
        }
        assert!(!label.starts_with(['-', '+', '=']), "{label}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_map_is_a_tree_of_labels(map in strange::mind_map()) {
        check(&map);
    }
}

#[test]
fn attacks_are_labels() {
    for text in ATTACKS {
        check(&full_of(text));
    }
}

#[test]
fn ordinary_labels_stay_as_they_are() {
    for text in
        ["El sol calienta mares y ríos", "f(x) = 2 + 3", "50 % de 3, y 5", "A & B", "Nota: bien", "1789", "co-fundador"]
    {
        assert_eq!(read(&mermaid(&full_of(text)))[1].1, text);
    }
}
