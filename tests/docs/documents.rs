//! The documents as tests read them: headings, prose, blocks of code.

use std::fs;
use std::path::{Path, PathBuf};

/// One document.
pub struct Document {
    /// From the root of the repository.
    pub name: String,
    pub text: String,
}

/// A fenced block of a document.
#[derive(Clone, Debug)]
pub struct Block {
    /// Document and line, for messages.
    pub at: String,
    /// The nearest heading above it.
    pub heading: String,
    /// Empty where none is named.
    pub language: String,
    /// Without the indentation of the fence.
    pub lines: Vec<String>,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

pub fn file(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Made from the types that read a configuration, and held to them by tests beside these.
const GENERATED: [&str; 1] = ["docs/configuration.md"];

/// README.md and everything below docs/ that somebody wrote, by name.
pub fn all() -> Vec<Document> {
    let mut documents = everything();
    documents.retain(|document| !GENERATED.contains(&document.name.as_str()));
    documents
}

/// README.md and everything below docs/, by name.
pub fn everything() -> Vec<Document> {
    let mut names = vec!["README.md".to_owned()];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                names.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    names.iter().map(|name| document(name)).collect()
}

pub fn document(name: &str) -> Document {
    Document { name: name.to_owned(), text: file(name) }
}

impl Document {
    pub fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut heading) = (Vec::new(), String::new());
        let mut open: Option<(usize, Block)> = None;
        for (number, line) in self.text.lines().enumerate() {
            let indented = line.len() - line.trim_start().len();
            match (line.trim_start().strip_prefix("```"), open.take()) {
                (Some(language), None) => {
                    let at = format!("{}:{}", self.name, number + 1);
                    let block =
                        Block { at, heading: heading.clone(), language: language.to_owned(), lines: Vec::new() };
                    open = Some((indented, block));
                }
                (Some(_), Some((_, block))) => blocks.push(block),
                (None, Some((fence, mut block))) => {
                    block.lines.push(line.get(fence.min(indented)..).unwrap_or_default().to_owned());
                    open = Some((fence, block));
                }
                (None, None) => {
                    if let Some((_, name)) = line.split_once("# ").filter(|(marks, _)| marks.chars().all(|c| c == '#'))
                    {
                        name.clone_into(&mut heading);
                    }
                }
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.name);
        blocks
    }

    /// The blocks of one language.
    pub fn of(&self, language: &str) -> Vec<Block> {
        self.blocks().into_iter().filter(|block| block.language == language).collect()
    }

    /// Everything outside of blocks.
    pub fn prose(&self) -> String {
        self.text.split("```").step_by(2).collect()
    }

    /// What stands in backticks on one line.
    pub fn quoted(&self) -> Vec<String> {
        let prose = self.prose();
        prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
    }

    /// The part below a heading, to the next that is as high or higher.
    pub fn section(&self, heading: &str) -> String {
        let text = &self.text;
        let after =
            text.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("{}: no {heading}", self.name));
        let level = heading.split(' ').next().unwrap().len();
        let ends = (1..=level).filter_map(|level| after.find(&format!("\n{} ", "#".repeat(level))));
        after[..ends.min().unwrap_or(after.len())].to_owned()
    }

    /// The headings of one level, without their marks.
    pub fn headings(&self, level: usize) -> Vec<String> {
        let marks = format!("{} ", "#".repeat(level));
        let prose = self.prose();
        prose.lines().filter_map(|line| line.strip_prefix(&marks)).map(str::to_owned).collect()
    }
}

impl Block {
    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }
}
