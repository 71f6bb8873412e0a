//! The layouts of real devices in LAYOUTS.md are read, written as they stand, and say what they say.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use decode::{Layout, encode};

const PAGE: &str = include_str!("../LAYOUTS.md");
const README: &str = include_str!("../../../../README.md");

/// The lines of the code blocks after a heading.
fn blocks(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(heading).unwrap();
    let section = section.split("\n# ").next().unwrap();
    let blocks = section.split("```").skip(1).step_by(2);
    blocks
        .map(|block| block.lines().skip(1).collect())
        .collect()
}

/// How many layouts stand in the first code block, each with or without a remark after it.
fn layouts_in(text: &str) -> usize {
    let block = text.split("```").nth(1).unwrap();
    let mut read = 0;
    for line in block.lines().skip(1) {
        let line = line.split("   ").next().unwrap();
        let layout = Layout::parse(line);
        assert!(layout.is_ok(), "{line}: {layout:?}");
        read += 1;
    }
    read
}

#[test]
fn the_examples_at_the_top_are_layouts() {
    let (top, _) = PAGE.split_once("# Grammar").unwrap();
    assert_eq!(layouts_in(top), 10);
    let (_, readme) = README.split_once("## Formats").unwrap();
    assert_eq!(layouts_in(readme), 5);
}

#[test]
fn real_devices_are_described() {
    let blocks = blocks("# Layouts of real devices");
    assert_eq!(blocks.len(), 10);
    for block in blocks {
        let (line, examples) = block.split_first().unwrap();
        let layout = Layout::parse(line).unwrap();
        assert_eq!(Layout::parse(&layout.to_string()).as_ref(), Ok(&layout));
        assert!(!examples.is_empty());
        for example in examples.chunks(2) {
            assert_eq!(example.len(), 2, "{line}: bytes and what they say");
            let (hex, said) = (example[0], example[1]);
            let bytes = encode::hex(hex).unwrap();
            let mut all = Vec::new();
            let rest = layout.decode(&bytes, |field| {
                assert_eq!(field.fault, None, "{line}");
                all.push(format!("{} {field}", field.label()));
            });
            assert_eq!((rest.missing, rest.extra.len()), (0, 0), "{line}");
            assert_eq!(all.join(" | "), said, "{line}");
        }
    }
}
