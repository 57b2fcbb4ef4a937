//! Reads a rich message that somebody sent as Markdown: each block and each style keeps its meaning, and what has no
//! place in a text is named there.
//!
//! Bot API 10.1: `RichMessage`, `RichBlock`, `RichText`. Pictures and files inside are files of the message; the text
//! says where they belong.

use serde_json::Value;

use super::content;
use crate::domain::update::{File, FileKind};

/// What a rich message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RichMessage {
    /// Markdown.
    pub text: String,
    /// In the order of the text, which calls the first one file 1.
    pub files: Vec<File>,
}

const SEPARATOR: &str = "\n\n";

/// `None` if there is none.
pub fn read(rich: &Value) -> Option<RichMessage> {
    if rich.is_null() {
        return None;
    }
    let mut reader = Reader::default();
    let text = match rich["blocks"].is_array() {
        true => reader.blocks(&rich["blocks"]),
        false => left_out("formatted message"),
    };
    Some(RichMessage {
        text,
        files: reader.files,
    })
}

#[derive(Default)]
struct Reader {
    files: Vec<File>,
}

impl Reader {
    fn blocks(&mut self, blocks: &Value) -> String {
        let mut text = String::new();
        for raw in all(blocks) {
            let block = self.block(raw);
            if block.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push_str(SEPARATOR);
            }
            text.push_str(&block);
        }
        text
    }

    fn block(&mut self, raw: &Value) -> String {
        let text = || inline(&raw["text"]);
        match kind_of(raw) {
            "paragraph" | "footer" | "thinking" => text(),
            "heading" => heading(raw),
            "pre" => fenced(&plain(&raw["text"]), raw["language"].as_str()),
            "divider" => "---".to_owned(),
            "mathematical_expression" => format!("$$\n{}\n$$", string(&raw["expression"])),
            "anchor" => String::new(),
            "list" => self.list(raw),
            "blockquote" => {
                let words = self.blocks(&raw["blocks"]);
                quotation(&words, &raw["credit"])
            }
            "pullquote" => quotation(&text(), &raw["credit"]),
            "collage" | "slideshow" => {
                let inside = self.blocks(&raw["blocks"]);
                with_caption(inside, &raw["caption"])
            }
            "table" => {
                let table = table(&raw["cells"]);
                joined([table, inline(&raw["caption"])])
            }
            "details" => {
                let summary = inline(&raw["summary"]);
                let inside = self.blocks(&raw["blocks"]);
                let start = format!("<details><summary>{summary}</summary>");
                joined([start, inside, "</details>".to_owned()])
            }
            "map" => with_caption(map(&raw["location"]), &raw["caption"]),
            "photo" => self.file(raw, "picture", content::photo_of(&raw["photo"])),
            "animation" => self.file_of(raw, "animation", FileKind::Animation),
            "audio" => self.file_of(raw, "audio", FileKind::Audio),
            "video" => self.file_of(raw, "video", FileKind::Video),
            "voice_note" => self.file_of(raw, "voice_note", FileKind::Voice),
            kind => self.unknown(raw, kind),
        }
    }

    /// The words of a block that is newer than this version.
    fn unknown(&mut self, raw: &Value, kind: &str) -> String {
        let inside = self.blocks(&raw["blocks"]);
        let text = joined([left_out(kind), inline(&raw["text"]), inside]);
        with_caption(text, &raw["caption"])
    }

    fn file_of(&mut self, raw: &Value, field: &str, kind: FileKind) -> String {
        let file = content::file_from(&raw[field], kind);
        self.file(raw, field, file)
    }

    fn file(&mut self, raw: &Value, kind: &str, file: Option<File>) -> String {
        let name = match file {
            Some(file) => {
                self.files.push(file);
                format!("[File {} of these]", self.files.len())
            }
            None => left_out(kind),
        };
        with_caption(name, &raw["caption"])
    }

    fn list(&mut self, raw: &Value) -> String {
        let items: Vec<String> = all(&raw["items"]).map(|item| self.item(item)).collect();
        items.join("\n")
    }

    fn item(&mut self, raw: &Value) -> String {
        let mut marker = marker(raw);
        let width = marker.len();
        if raw["has_checkbox"] == true {
            marker.push_str(match raw["is_checked"] == true {
                true => "[x] ",
                false => "[ ] ",
            });
        }
        let mut text = String::new();
        for block in all(&raw["blocks"]) {
            let is_list = kind_of(block) == "list";
            let block = self.block(block);
            if !text.is_empty() && !block.is_empty() {
                text.push_str(if is_list { "\n" } else { SEPARATOR });
            }
            text.push_str(&block);
        }
        format!("{marker}{}", indented(&text, width))
    }
}

/// A number or a letter as people see it; else a dash.
fn marker(item: &Value) -> String {
    let label = string(&item["label"]).trim();
    let is_counted = !item["value"].is_null()
        || !item["type"].is_null()
        || label.starts_with(|first: char| first.is_alphanumeric());
    match (is_counted, item["value"].as_i64()) {
        (false, _) => "- ".to_owned(),
        (true, Some(number)) if label.is_empty() => format!("{number}. "),
        (true, None) if label.is_empty() => "- ".to_owned(),
        (true, _) if label.ends_with(['.', ')']) => format!("{label} "),
        (true, _) => format!("{label}. "),
    }
}

/// All lines but the first.
fn indented(text: &str, width: usize) -> String {
    let margin = " ".repeat(width);
    let mut lines = text.split('\n');
    let mut all = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        all.push('\n');
        if !line.is_empty() {
            all.push_str(&margin);
            all.push_str(line);
        }
    }
    all
}

fn heading(raw: &Value) -> String {
    let size = raw["size"].as_u64().unwrap_or(1).clamp(1, 6);
    let marks = "#".repeat(usize::try_from(size).unwrap_or(1));
    format!("{marks} {}", inline(&raw["text"]).replace('\n', " "))
}

fn fenced(text: &str, language: Option<&str>) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let language = language.unwrap_or_default();
    format!(
        "{fence}{language}\n{}\n{fence}",
        text.trim_end_matches('\n')
    )
}

fn quotation(words: &str, credit: &Value) -> String {
    let mut lines: Vec<String> = words.split('\n').map(quoted).collect();
    let credit = inline(credit);
    if !credit.is_empty() {
        lines.push(quoted(&format!("— {credit}")));
    }
    lines.join("\n")
}

fn quoted(line: &str) -> String {
    format!("> {line}").trim_end().to_owned()
}

fn table(rows: &Value) -> String {
    // How many rows of each column are still taken by a cell above.
    let mut taken: Vec<u64> = Vec::new();
    let mut table: Vec<Vec<String>> = Vec::new();
    for row in all(rows) {
        let mut cells = Vec::new();
        for cell in all(row) {
            skip_taken(&mut cells, &mut taken);
            let columns = cell["colspan"].as_u64().unwrap_or(1).clamp(1, 100);
            let rows = cell["rowspan"].as_u64().unwrap_or(1).clamp(1, 1000);
            for column in 0..columns {
                let is_first = column == 0;
                cells.push(if is_first {
                    cell_text(cell)
                } else {
                    String::new()
                });
                taken.resize(taken.len().max(cells.len()), 0);
                taken[cells.len() - 1] = rows - 1;
            }
        }
        skip_taken(&mut cells, &mut taken);
        table.push(cells);
    }
    let width = table.iter().map(Vec::len).max().unwrap_or(0);
    if width == 0 {
        return String::new();
    }
    let mut lines = Vec::new();
    for (number, mut cells) in table.into_iter().enumerate() {
        cells.resize(width, String::new());
        lines.push(format!("| {} |", cells.join(" | ")));
        if number == 0 {
            lines.push(format!("|{}", "---|".repeat(width)));
        }
    }
    lines.join("\n")
}

fn skip_taken(cells: &mut Vec<String>, taken: &mut [u64]) {
    while let Some(rows) = taken.get_mut(cells.len()).filter(|rows| **rows > 0) {
        *rows -= 1;
        cells.push(String::new());
    }
}

fn cell_text(cell: &Value) -> String {
    let text = inline(&cell["text"]);
    text.trim().replace('|', "\\|").replace('\n', "<br>")
}

fn map(location: &Value) -> String {
    match content::location_of(location) {
        Some(at) => format!("[Location: {}, {}]", at.latitude, at.longitude),
        None => left_out("map"),
    }
}

/// Bot API: `RichBlockCaption`.
fn with_caption(text: String, caption: &Value) -> String {
    let credit = match inline(&caption["credit"]).as_str() {
        "" => String::new(),
        credit => format!("— {credit}"),
    };
    joined([text, inline(&caption["text"]), credit])
}

fn joined<const N: usize>(texts: [String; N]) -> String {
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(SEPARATOR)
}

/// Bot API: `RichText`: a string, a list of texts, or an object around a text.
fn inline(raw: &Value) -> String {
    match raw {
        Value::String(text) => text.clone(),
        Value::Array(texts) => texts.iter().map(inline).collect(),
        Value::Object(_) => styled(raw),
        _ => String::new(),
    }
}

fn styled(raw: &Value) -> String {
    let text = || inline(&raw["text"]);
    match kind_of(raw) {
        "bold" => between("**", &text(), "**"),
        "italic" => between("*", &text(), "*"),
        "strikethrough" => between("~~", &text(), "~~"),
        "spoiler" => between("||", &text(), "||"),
        "underline" => between("<u>", &text(), "</u>"),
        "subscript" => between("<sub>", &text(), "</sub>"),
        "superscript" => between("<sup>", &text(), "</sup>"),
        "marked" => between("<mark>", &text(), "</mark>"),
        "code" => coded(&plain(&raw["text"])),
        "mathematical_expression" => between("$", string(&raw["expression"]), "$"),
        "custom_emoji" => string(&raw["alternative_text"]).to_owned(),
        "url" => linked(&text(), string(&raw["url"])),
        "email_address" => with_value(text(), string(&raw["email_address"])),
        "phone_number" => with_value(text(), string(&raw["phone_number"])),
        "date_time" => with_value(text(), &moment(&raw["unix_time"])),
        "anchor" => String::new(),
        "reference_link" => format!("{}[^{}]", text(), string(&raw["reference_name"])),
        "reference" => format!("[^{}]: {}", string(&raw["name"]), text()),
        _ if !raw["text"].is_null() => text(),
        kind => left_out(kind),
    }
}

/// The words without their styles.
fn plain(raw: &Value) -> String {
    match raw {
        Value::String(text) => text.clone(),
        Value::Array(texts) => texts.iter().map(plain).collect(),
        Value::Object(_) if !raw["text"].is_null() => plain(&raw["text"]),
        Value::Object(_) => styled(raw),
        _ => String::new(),
    }
}

/// Blanks at the ends stay outside: Markdown has no style that begins with one.
fn between(before: &str, text: &str, after: &str) -> String {
    let words = text.trim();
    if words.is_empty() {
        return text.to_owned();
    }
    let start = text.len() - text.trim_start().len();
    let end = start + words.len();
    format!("{}{before}{words}{after}{}", &text[..start], &text[end..])
}

fn coded(text: &str) -> String {
    match text.contains('`') {
        true => format!("`` {text} ``"),
        false => between("`", text, "`"),
    }
}

fn linked(text: &str, address: &str) -> String {
    if text == address || address.is_empty() {
        return text.to_owned();
    }
    format!("[{text}]({address})")
}

fn with_value(text: String, value: &str) -> String {
    match text.contains(value) {
        true => text,
        false => format!("{text} ({value})"),
    }
}

fn moment(unix_time: &Value) -> String {
    let second = unix_time.as_i64();
    let moment = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    moment.map(|moment| moment.to_string()).unwrap_or_default()
}

fn left_out(kind: &str) -> String {
    format!(
        "[A part that could not be passed on: {}]",
        kind.replace('_', " ")
    )
}

fn kind_of(raw: &Value) -> &str {
    string(&raw["type"])
}

fn string(raw: &Value) -> &str {
    raw.as_str().unwrap_or_default()
}

fn all(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
