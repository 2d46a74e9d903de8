//! Where the nodes of mind maps stand.

use drawing::{Drawing, Item, Node, NodeLevel, mind_map};
use proptest::prelude::*;
use tutor::tools::{Branch, Leaf, MindMap, Twig};

use crate::strange;

fn meet(a: &Node, b: &Node) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/// Numbers are finite, boxes lie on the paper, and no two of them overlap.
fn check(drawing: &Drawing) {
    assert!(drawing.width.is_finite() && drawing.height.is_finite());
    for (idx, node) in drawing.nodes.iter().enumerate() {
        assert!(node.width > 0.0 && node.height > 0.0, "{node:?}");
        assert!(node.x >= 0.0 && node.x + node.width <= drawing.width, "{node:?}");
        assert!(node.y >= 0.0 && node.y + node.height <= drawing.height, "{node:?}");
        for other in &drawing.nodes[idx + 1..] {
            assert!(!meet(node, other), "{node:?} and {other:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_nodes_overlap_and_all_lie_on_the_paper(map in strange::mind_map()) {
        let drawing = mind_map(&map);
        check(&drawing);
        let branches: usize = map.children.len();
        let leaves: usize = map.children.iter().map(|branch| branch.children.len()).sum();
        let twigs: usize = map.children.iter().flat_map(|branch| &branch.children).map(|leaf| leaf.children.len()).sum();
        prop_assert_eq!(drawing.nodes.len(), 1 + branches + leaves + twigs);
        let ratio = drawing.width / drawing.height;
        prop_assert!((0.99..=2.2).contains(&ratio), "{}", ratio);
    }
}

fn full(text: &str) -> MindMap {
    let cut = |most: usize| text.chars().cycle().take(most).collect::<String>();
    let leaf = Leaf { label: cut(60), children: vec![Twig { label: cut(60) }; 3] };
    let branch = Branch { label: cut(40), children: vec![leaf; 5] };
    MindMap { label: cut(40), children: vec![branch; 7] }
}

#[test]
fn the_largest_maps_hold() {
    for text in ["W", "una palabra ", "漢", "😀", "שלום ", "x\u{301}"] {
        let drawing = mind_map(&full(text));
        check(&drawing);
        assert_eq!(drawing.nodes.len(), 1 + 7 + 35 + 105);
    }
}

#[test]
fn more_than_a_model_may_write_holds_as_well() {
    let long = "palabra ".repeat(400);
    let branch = Branch { label: long.clone(), children: Vec::new() };
    check(&mind_map(&MindMap { label: long, children: vec![branch; 40] }));
    check(&mind_map(&MindMap { label: String::new(), children: Vec::new() }));
}

fn small() -> MindMap {
    let leaf = |label: &str| Leaf { label: label.to_owned(), children: Vec::new() };
    let branch = |label: &str| Branch { label: label.to_owned(), children: vec![leaf("uno"), leaf("dos")] };
    let mut map =
        MindMap { label: "Tema".to_owned(), children: ["A", "B", "C", "D"].into_iter().map(branch).collect() };
    map.children[1].children[0].children.push(Twig { label: "más".to_owned() });
    map
}

#[test]
fn branches_run_clockwise_from_the_upper_right() {
    let drawing = mind_map(&small());
    let branches: Vec<&Node> = drawing.nodes.iter().filter(|node| node.level == NodeLevel::Branch).collect();
    let sides: Vec<bool> = branches.iter().map(|node| node.left).collect();
    assert_eq!(sides, [false, false, true, true]);
    assert!(branches[0].y < branches[1].y && branches[3].y < branches[2].y);
    let root = &drawing.nodes[0];
    assert!(branches[0].x > root.x + root.width && branches[2].x + branches[2].width < root.x);
    assert!((root.x + root.width / 2.0 - drawing.width / 2.0).abs() < 0.01);
}

#[test]
fn nodes_come_in_reading_order_with_parents_and_numbers() {
    let drawing = mind_map(&small());
    let list: Vec<String> = drawing
        .nodes
        .iter()
        .map(|node| format!("{} {:?} {} of {:?} in {}", node.id, node.level, node.label, node.parent, node.branch))
        .collect();
    assert_eq!(list[0], "0 Root Tema of None in 0");
    assert_eq!(list[1], "1 Branch A of Some(0) in 1");
    assert_eq!(list[3], "3 Leaf dos of Some(1) in 1");
    assert_eq!(list[4], "4 Branch B of Some(0) in 2");
    assert_eq!(list[6], "6 Twig más of Some(5) in 2");
    assert_eq!(list.len(), 1 + 4 + 8 + 1);
}

#[test]
fn the_description_says_the_whole_map() {
    let drawing = mind_map(&small());
    assert_eq!(drawing.title, "Tema");
    assert_eq!(drawing.description, "Tema. 1. A: uno; dos. 2. B: uno (más); dos. 3. C: uno; dos. 4. D: uno; dos.");
}

#[test]
fn every_text_of_a_node_stands_in_its_box() {
    let drawing = mind_map(&full("una palabra larguísima "));
    let lines = drawing.items.iter().filter_map(|item| match item {
        Item::Text(line) => Some(line),
        _ => None,
    });
    for line in lines {
        let inside = drawing.nodes.iter().any(|node| {
            line.x >= node.x && line.x <= node.x + node.width && line.y >= node.y && line.y <= node.y + node.height
        });
        assert!(inside, "{line:?}");
    }
}
