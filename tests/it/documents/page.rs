//! A page of the documentation, and what in it can be right or wrong.

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// Where the pages are.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub struct Page {
    /// From the repository's folder on.
    pub path: PathBuf,
    pub text: String,
}

impl Page {
    /// Every page that is for people who use or change telecoder.
    pub fn all() -> Vec<Page> {
        let mut paths = vec![
            PathBuf::from("README.md"),
            "CONTRIBUTING.md".into(),
            "CHANGELOG.md".into(),
            "deploy/README.md".into(),
        ];
        let docs = std::fs::read_dir(repository().join("docs")).expect("a folder");
        for file in docs {
            let path = Path::new("docs").join(file.expect("a file").file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.into_iter().map(Page::read).collect()
    }

    pub fn named(path: &str) -> Page {
        Page::read(path.into())
    }

    fn read(path: PathBuf) -> Page {
        let text = std::fs::read_to_string(repository().join(&path)).expect("a page");
        Page { path, text }
    }

    fn events(&self) -> impl Iterator<Item = Event<'_>> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES)
    }

    /// The code blocks with their language; an indented one has none.
    pub fn blocks(&self) -> Vec<(String, String)> {
        let mut blocks: Vec<(String, String)> = Vec::new();
        let mut is_in_block = false;
        for event in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    blocks.push((language, String::new()));
                    is_in_block = true;
                }
                Event::End(TagEnd::CodeBlock) => is_in_block = false,
                Event::Text(text) if is_in_block => {
                    blocks.last_mut().expect("it has begun").1.push_str(&text);
                }
                _ => {}
            }
        }
        blocks
    }

    /// What stands between backticks.
    pub fn inline_code(&self) -> Vec<String> {
        self.events()
            .filter_map(|event| match event {
                Event::Code(code) => Some(code.into_string()),
                _ => None,
            })
            .collect()
    }

    /// The first code in the first cell of each row of its tables.
    pub fn first_cells(&self) -> Vec<String> {
        let mut cells = Vec::new();
        let mut cell = None;
        for event in self.events() {
            match event {
                Event::Start(Tag::TableRow) => cell = Some(0),
                Event::Start(Tag::TableCell) => cell = cell.map(|number| number + 1),
                Event::Code(code) if cell == Some(1) => {
                    cells.push(code.into_string());
                    cell = None;
                }
                _ => {}
            }
        }
        cells
    }

    /// Where its links and pictures lead, but for those to other sites.
    pub fn links(&self) -> Vec<String> {
        let mut links: Vec<String> = self
            .events()
            .filter_map(|event| match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    Some(dest_url.into_string())
                }
                _ => None,
            })
            .collect();
        links.extend(
            self.text
                .split("<img src=\"")
                .skip(1)
                .filter_map(|rest| rest.split_once('"'))
                .map(|(source, _)| source.to_owned()),
        );
        links.retain(|link| !link.contains("://"));
        links
    }

    /// Its headings as GitHub makes links of them.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        let mut is_in_heading = false;
        for event in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    anchors.push(String::new());
                    is_in_heading = true;
                }
                Event::End(TagEnd::Heading(_)) => is_in_heading = false,
                Event::Text(text) | Event::Code(text) if is_in_heading => {
                    let anchor = anchors.last_mut().expect("it has begun");
                    for letter in text.chars() {
                        match letter {
                            ' ' => anchor.push('-'),
                            '-' | '_' => anchor.push(letter),
                            letter if letter.is_alphanumeric() => {
                                anchor.extend(letter.to_lowercase());
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        anchors
    }

    /// Its block quotes, a line each, which is where these pages quote what telecoder says.
    pub fn quotes(&self) -> Vec<String> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("> "));
        lines.map(str::to_owned).collect()
    }
}
