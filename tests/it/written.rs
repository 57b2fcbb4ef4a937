//! Random documents as a model could write them: blocks and words nested in one another. Each word and each address
//! occurs once, so that a test can look for it in what was sent.

use proptest::prelude::*;

/// How an address looks; `#` becomes its number.
const ADDRESSES: [&str; 17] = [
    "https://example.org/t#t",
    "https://example.org/t#t_x(y)?a=b&d=e",
    "http://example.org:8080/t#t",
    "http://пример.рф/t#t",
    "http://192.168.0.1/t#t",
    "http://[::1]:8080/t#t",
    "http://localhost:3000/t#t",
    "https://grafana:3001/t#t",
    "http://t#t",
    "mailto:t#t@example.org",
    "tel:+49t#t",
    "tg://resolve?domain=t#t",
    "ftp://example.org/t#t",
    "file:///srv/t#t",
    "docs/t#t.md",
    "/srv/t#t",
    "#t#t",
];

#[derive(Clone, Debug)]
enum Inline {
    Word,
    /// Words with something around each or among them; `#` becomes a word.
    Around(&'static str),
    Of(&'static str, Vec<Inline>, &'static str),
    Link(Vec<Inline>, &'static str, bool),
    /// An address as it stands.
    Bare(&'static str),
    Reference(Vec<Inline>, &'static str),
    Picture(bool, &'static str),
    Badge(bool, &'static str, &'static str),
    Footnote,
}

const AROUND: [&str; 26] = [
    "`#`",
    "`` `#` ``",
    "`  #`",
    "src/#.rs:12",
    "(#)",
    "Vec<S>#",
    "Option<B>, impl<S> Service<S>#",
    "Vec<s>#",
    "<I>#</I>",
    "<span title=\"#\">#</span>",
    "<br>#",
    "a<b>#",
    "# </b>",
    "<a href=\"#\">#</a>",
    "<!-- # -->",
    "$5 for **#** and 3$",
    "$#$ and $#^2$",
    "$$# of them$$",
    "$x_#$",
    "\\*#\\*",
    "&amp;#&lt;",
    "日本語#👩‍💻",
    "#\u{3000}#\u{a0}#",
    "[#]",
    "[#](",
    "![#][]",
];

#[derive(Clone, Debug)]
enum Block {
    Paragraph(Vec<Inline>),
    Heading(usize, Vec<Inline>),
    List(bool, Vec<Vec<Block>>),
    Quote(&'static str, Vec<Block>),
    Code(&'static str, usize),
    Folded(Vec<Block>),
    /// Rows of as many cells each.
    Table(Vec<Vec<Vec<Inline>>>),
    /// A line of its own.
    Line(&'static str),
}

const LINES: [&str; 6] = [
    "---",
    "$$\\frac{#}{2}$$",
    "<div align=\"center\">#</div>",
    "<S>",
    "<p>#",
    "    indented #",
];

/// A document and what is in it.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub markdown: String,
    pub words: Vec<String>,
    pub addresses: Vec<String>,
    at_the_end: Vec<String>,
}

fn address() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ADDRESSES.as_slice())
}

fn inlines() -> impl Strategy<Value = Vec<Inline>> {
    let leaf = prop_oneof![
        4 => Just(Inline::Word),
        3 => prop::sample::select(AROUND.as_slice()).prop_map(Inline::Around),
        1 => prop::sample::select(&["https://example.org/t#t", "http://localhost:1/t#t"][..])
            .prop_map(Inline::Bare),
        1 => (any::<bool>(), address()).prop_map(|(named, to)| Inline::Picture(named, to)),
        1 => (any::<bool>(), address(), address())
            .prop_map(|(named, picture, to)| Inline::Badge(named, picture, to)),
        1 => Just(Inline::Footnote),
    ];
    let one = leaf.prop_recursive(3, 12, 3, |inner| {
        let several = prop::collection::vec(inner, 0..3);
        let marks = prop::sample::select(
            &[
                ("**", "**"),
                ("*", "*"),
                ("_", "_"),
                ("~~x", "x~~"),
                ("<b>", "</b>"),
                ("<kbd>", "</kbd>"),
                ("<S>", "</S>"),
                ("<sub class=\"x\">", "</sub>"),
            ][..],
        );
        prop_oneof![
            (marks, several.clone())
                .prop_map(|((before, behind), of)| Inline::Of(before, of, behind)),
            (several.clone(), address(), any::<bool>())
                .prop_map(|(of, to, titled)| Inline::Link(of, to, titled)),
            (several, address()).prop_map(|(of, to)| Inline::Reference(of, to)),
        ]
    });
    prop::collection::vec(one, 1..5)
}

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let leaf = prop_oneof![
        4 => inlines().prop_map(Block::Paragraph),
        1 => (1..4_usize, inlines()).prop_map(|(level, words)| Block::Heading(level, words)),
        2 => (prop::sample::select(&["", "rust", "bash", "diff src/#.rs"][..]), 0..4_usize)
            .prop_map(|(info, lines)| Block::Code(info, lines)),
        1 => prop::sample::select(LINES.as_slice()).prop_map(Block::Line),
        2 => (1..4_usize, 1..4_usize)
            .prop_flat_map(|(columns, rows)| {
                let cell = prop_oneof![1 => Just(Vec::new()), 3 => inlines()];
                prop::collection::vec(prop::collection::vec(cell, columns), rows)
            })
            .prop_map(Block::Table),
    ];
    let one = leaf.prop_recursive(3, 12, 3, |inner| {
        let several = prop::collection::vec(inner, 1..3);
        prop_oneof![
            (any::<bool>(), prop::collection::vec(several.clone(), 1..4))
                .prop_map(|(numbered, items)| Block::List(numbered, items)),
            (
                prop::sample::select(&["", "[!NOTE]\n"][..]),
                several.clone()
            )
                .prop_map(|(title, of)| Block::Quote(title, of)),
            several.prop_map(Block::Folded),
        ]
    });
    prop::collection::vec(one, 1..5)
}

pub fn documents() -> impl Strategy<Value = Document> {
    blocks().prop_map(|blocks| {
        let mut document = Document::default();
        let mut all = document.blocks(&blocks);
        for line in std::mem::take(&mut document.at_the_end) {
            all.push_str(&format!("\n\n{line}"));
        }
        document.markdown = all;
        document
    })
}

impl Document {
    fn word(&mut self) -> String {
        let word = format!("w{}w", self.words.len());
        self.words.push(word.clone());
        word
    }

    fn words_in(&mut self, form: &str) -> String {
        let mut text = String::new();
        for (number, piece) in form.split('#').enumerate() {
            if number > 0 {
                text.push_str(&self.word());
            }
            text.push_str(piece);
        }
        text
    }

    fn address(&mut self, form: &str) -> String {
        let (before, behind) = form.rsplit_once('#').expect("it has a place");
        let address = format!("{before}{}{behind}", self.addresses.len());
        self.addresses.push(address.clone());
        address
    }

    fn inlines(&mut self, inlines: &[Inline]) -> String {
        inlines
            .iter()
            .map(|inline| self.inline(inline))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn inline(&mut self, inline: &Inline) -> String {
        match inline {
            Inline::Word => self.word(),
            Inline::Around(form) => self.words_in(form),
            Inline::Of(before, of, behind) => format!("{before}{}{behind}", self.inlines(of)),
            Inline::Link(of, to, titled) => {
                let words = self.inlines(of);
                let address = self.address(to);
                match titled {
                    true => format!("[{words}]({address} \"{}\")", self.word()),
                    false => format!("[{words}]({address})"),
                }
            }
            Inline::Bare(form) => format!("<{}>", self.address(form)),
            Inline::Reference(of, to) => {
                let name = format!("r{}", self.addresses.len());
                let address = self.address(to);
                self.at_the_end.push(format!("[{name}]: {address}"));
                format!("[{}][{name}]", self.inlines(of))
            }
            Inline::Picture(named, to) => {
                let words = if *named { self.word() } else { String::new() };
                format!("![{words}]({})", self.address(to))
            }
            Inline::Badge(named, picture, to) => {
                let words = if *named { self.word() } else { String::new() };
                let picture = self.address(picture);
                format!("[![{words}]({picture})]({})", self.address(to))
            }
            Inline::Footnote => {
                let number = self.at_the_end.len();
                let word = self.word();
                self.at_the_end.push(format!("[^f{number}]: {word}"));
                format!("note[^f{number}]")
            }
        }
    }

    fn blocks(&mut self, blocks: &[Block]) -> String {
        blocks
            .iter()
            .map(|block| self.block(block))
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    fn block(&mut self, block: &Block) -> String {
        match block {
            Block::Paragraph(words) => self.inlines(words),
            Block::Heading(level, words) => {
                format!("{} {}", "#".repeat(*level), self.inlines(words))
            }
            Block::List(numbered, items) => items
                .iter()
                .map(|item| {
                    let mark = if *numbered { "1. " } else { "- " };
                    let indented = self.blocks(item).replace('\n', "\n   ");
                    format!("{mark:<3}{indented}")
                })
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Quote(title, of) => {
                let quoted = format!("{title}{}", self.blocks(of));
                format!("> {}", quoted.replace('\n', "\n> "))
            }
            Block::Code(info, lines) => {
                let info = self.words_in(info);
                // A file's name stands behind the fence, and is seen only where the block becomes a file.
                if info.contains(' ') {
                    self.words.pop();
                }
                let code: String = (0..*lines)
                    .map(|line| format!("{}{}\n", "  ".repeat(line), self.word()))
                    .collect();
                format!("```{info}\n{code}```")
            }
            Block::Folded(of) => {
                let title = self.word();
                let words = self.blocks(of);
                format!("<details>\n<summary>{title}</summary>\n\n{words}\n\n</details>")
            }
            Block::Table(rows) => {
                let mut lines: Vec<String> = Vec::new();
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|cell| self.inlines(cell)).collect();
                    lines.push(format!("| {} |", cells.join(" | ")));
                    if lines.len() == 1 {
                        lines.push(format!("|{}", "---|".repeat(row.len())));
                    }
                }
                lines.join("\n")
            }
            Block::Line(form) => self.words_in(form),
        }
    }
}
