//! The languages whose words are known, and which of them a file or a block is in.

/// How a language is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Code,
    /// Names and values: what stands before `:` or `=` is a name.
    Data,
    /// Text with tags in it.
    Tags,
    Prose,
    Diff,
}

/// How a text (a string) begins and ends.
#[derive(Debug)]
pub(super) struct Text {
    pub start: &'static str,
    pub end: &'static str,
    /// A backslash takes its meaning from the end.
    pub escapes: bool,
    /// It may have several lines.
    pub goes_on: bool,
}

/// What is known of a language.
#[derive(Debug)]
pub struct Language {
    /// Endings of files, names of files, and the words behind a fence, in lower case.
    names: &'static str,
    pub(super) shape: Shape,
    pub(super) line_comments: &'static [&'static str],
    pub(super) comment: Option<(&'static str, &'static str)>,
    pub(super) comments_nest: bool,
    /// The longer beginnings first.
    pub(super) texts: &'static [Text],
    keywords: &'static str,
    ignores_case: bool,
    /// Signs that belong to words, besides letters, digits and `_`.
    pub(super) in_words: &'static str,
    /// A name that begins with a capital letter is a type.
    pub(super) has_types: bool,
    /// `'a'` is a character, and a single `'` begins no text.
    pub(super) has_characters: bool,
    /// What stands before `:` is a name.
    pub(super) has_keys: bool,
}

impl Language {
    /// By the name of a file, with or without folders.
    pub fn of_file(path: &str) -> Option<&'static Language> {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        // Dockerfile.dev, Makefile
        let beginning = name
            .split('.')
            .next()
            .filter(|beginning| beginning.len() > 4);
        ending
            .and_then(Language::of_name)
            .or_else(|| Language::of_name(beginning?))
    }

    /// By the text behind a fence: the language, or a file's name.
    pub fn of_fence(info: &str) -> Option<&'static Language> {
        let word = info.split([' ', ',', '{', ':']).next()?;
        Language::of_name(&word.to_lowercase()).or_else(|| Language::of_file(info))
    }

    fn of_name(name: &str) -> Option<&'static Language> {
        let is_one = |language: &&Language| language.names.split(' ').any(|known| known == name);
        LANGUAGES.iter().find(is_one).filter(|_| !name.is_empty())
    }

    pub(super) fn is_keyword(&self, word: &str) -> bool {
        self.keywords
            .split(' ')
            .any(|keyword| match self.ignores_case {
                true => keyword.eq_ignore_ascii_case(word),
                false => keyword == word,
            })
    }
}

const fn text(start: &'static str, end: &'static str, escapes: bool, goes_on: bool) -> Text {
    Text {
        start,
        end,
        escapes,
        goes_on,
    }
}

const DOUBLE: Text = text("\"", "\"", true, false);
const SINGLE: Text = text("'", "'", true, false);
const BACKTICKS: Text = text("`", "`", true, true);
const THREE_DOUBLE: Text = text("\"\"\"", "\"\"\"", true, true);
const THREE_SINGLE: Text = text("'''", "'''", true, true);

/// A language whose comments are those of C.
const LIKE_C: Language = Language {
    names: "",
    shape: Shape::Code,
    line_comments: &["//"],
    comment: Some(("/*", "*/")),
    comments_nest: false,
    texts: &[DOUBLE, SINGLE],
    keywords: "",
    ignores_case: false,
    in_words: "",
    has_types: true,
    has_characters: false,
    has_keys: false,
};

/// A language whose comments begin with `#`.
const LIKE_SHELL: Language = Language {
    line_comments: &["#"],
    comment: None,
    has_types: false,
    ..LIKE_C
};

const LANGUAGES: &[Language] = &[
    Language {
        names: "rs rust",
        comments_nest: true,
        texts: &[
            text("r##\"", "\"##", false, true),
            text("r#\"", "\"#", false, true),
            text("r\"", "\"", false, true),
            text("\"", "\"", true, true),
        ],
        keywords: "as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for i128 \
                   i16 i32 i64 i8 if impl in isize let loop match mod move mut pub ref return self Self static str \
                   struct super trait true type u128 u16 u32 u64 u8 union unsafe use usize where while",
        has_characters: true,
        ..LIKE_C
    },
    Language {
        names: "py pyi python python3 starlark bzl",
        texts: &[THREE_DOUBLE, THREE_SINGLE, DOUBLE, SINGLE],
        keywords: "and as assert async await break case class continue def del elif else except False finally for from \
                   global if import in is lambda match None nonlocal not or pass raise return self True try while \
                   with yield",
        in_words: "@",
        has_types: true,
        ..LIKE_SHELL
    },
    Language {
        names: "js mjs cjs jsx ts mts cts tsx javascript typescript node",
        texts: &[DOUBLE, SINGLE, BACKTICKS],
        keywords: "abstract any as async await boolean break case catch class const continue debugger declare default \
                   delete do else enum export extends false finally for from function get if implements import in \
                   instanceof interface keyof let namespace never new null number of private protected public \
                   readonly return satisfies set static string super switch this throw true try type typeof \
                   undefined unknown var void while with yield",
        in_words: "$@",
        ..LIKE_C
    },
    Language {
        names: "go golang",
        texts: &[DOUBLE, text("`", "`", false, true)],
        keywords: "any bool break byte case chan const continue default defer else error fallthrough false float32 \
                   float64 for func go goto if import int int32 int64 interface iota map nil package range return \
                   rune select string struct switch true type uint uint32 uint64 uint8 var",
        has_characters: true,
        ..LIKE_C
    },
    Language {
        names: "c h cc cpp cxx hpp hh c++ ino cu m mm",
        texts: &[DOUBLE],
        keywords: "#define #elif #else #endif #if #ifdef #ifndef #include #pragma #undef auto bool break case catch \
                   char class const constexpr continue default delete do double else enum explicit extern false \
                   float for friend goto if inline int long namespace new noexcept nullptr operator override \
                   private protected public return short signed sizeof static struct switch template this throw \
                   true try typedef typename union unsigned using virtual void volatile while NULL",
        in_words: "#",
        has_characters: true,
        ..LIKE_C
    },
    Language {
        names: "java kt kts kotlin scala sc cs csharp c# groovy gradle dart swift zig php",
        texts: &[THREE_DOUBLE, DOUBLE, SINGLE],
        keywords: "abstract actor as async await base bool boolean break byte case catch char class const continue def \
                   default defer delegate do double echo else enum export extends extension false final finally float \
                   fn for foreach fun func function get guard if implements import in init inline instanceof int \
                   interface internal is lateinit let long match mut namespace new nil null object open operator \
                   override package private protected protocol pub public readonly record required return sealed self \
                   set short static string struct super suspend switch this throw throws trait true try type typealias \
                   undefined use using val var virtual void when where while with yield",
        in_words: "@$",
        ..LIKE_C
    },
    Language {
        names: "rb ruby gemfile rakefile podfile cr ex exs elixir",
        texts: &[THREE_DOUBLE, DOUBLE, SINGLE],
        keywords: "alias and attr_accessor attr_reader begin break case class cond def defmodule defp do else elsif end \
                   ensure false fn for if import in include module next nil not or private protected public raise \
                   redo require require_relative rescue retry return self super then true undef unless until use \
                   when while with yield",
        in_words: "@?!",
        has_types: true,
        ..LIKE_SHELL
    },
    Language {
        names: "sh bash zsh fish ksh shell console shellscript envrc bashrc zshrc profile",
        texts: &[text("\"", "\"", true, true), text("'", "'", false, true)],
        keywords: "alias break case cd continue do done echo elif else esac eval exec exit export fi for function if in \
                   local readonly return select set shift source then trap unset until while",
        in_words: "$",
        ..LIKE_SHELL
    },
    Language {
        names: "dockerfile containerfile docker makefile gnumakefile mk make justfile just cmake cmakelists nix r perl pl pm",
        texts: &[DOUBLE, SINGLE],
        keywords: "ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER \
                   VOLUME WORKDIR define else endef endif export for function if ifdef ifeq ifndef ifneq in include \
                   inherit let library my package rec return set sub then use while with",
        in_words: "$@",
        has_keys: true,
        ..LIKE_SHELL
    },
    Language {
        names: "sql psql mysql sqlite postgres postgresql",
        line_comments: &["--"],
        comment: Some(("/*", "*/")),
        texts: &[text("'", "'", false, true), text("\"", "\"", false, false)],
        keywords: "add all alter and as asc begin between by cascade case check column commit constraint create cross \
                   default delete desc distinct drop else end exists explain foreign from full group having if in index \
                   inner insert integer into is join key left like limit not null offset on or order outer primary \
                   references returning right rollback select set table text then transaction trigger union unique \
                   update using values view when where with without",
        ignores_case: true,
        ..LIKE_SHELL
    },
    Language {
        names: "lua haskell hs elm ada vhdl",
        line_comments: &["--"],
        comment: Some(("{-", "-}")),
        texts: &[DOUBLE],
        keywords: "and break case class data deriving do else elseif end false for function goto if import in infix \
                   instance let local module newtype nil not of or repeat return then true type until where while",
        has_types: true,
        has_characters: true,
        ..LIKE_SHELL
    },
    Language {
        names: "css scss sass less",
        keywords: "!important",
        in_words: "-@$",
        has_types: false,
        has_keys: true,
        ..LIKE_C
    },
    Language {
        names: "proto graphql gql tf hcl tfvars terraform prisma",
        line_comments: &["//", "#"],
        texts: &[THREE_DOUBLE, DOUBLE],
        keywords: "bool bytes data double enum extend false fragment import input int32 int64 interface locals map \
                   message model module mutation null oneof optional output package provider query repeated required \
                   reserved resource returns rpc scalar service string subscription syntax true type uint32 uint64 \
                   union variable",
        in_words: "$@",
        ..LIKE_C
    },
    Language {
        names: "json jsonc json5 jsonl ndjson webmanifest",
        texts: &[DOUBLE],
        keywords: "true false null",
        shape: Shape::Data,
        has_types: false,
        ..LIKE_C
    },
    Language {
        names: "toml yaml yml ini cfg conf env properties editorconfig gitconfig service timer lock",
        line_comments: &["#", ";"],
        texts: &[THREE_DOUBLE, THREE_SINGLE, DOUBLE, SINGLE],
        keywords: "true false null yes no on off",
        shape: Shape::Data,
        in_words: "-.",
        ..LIKE_SHELL
    },
    Language {
        names: "html htm xml svg xhtml vue svelte astro plist csproj xaml rss jinja hbs erb",
        shape: Shape::Tags,
        line_comments: &[],
        comment: Some(("<!--", "-->")),
        texts: &[text("\"", "\"", false, true), text("'", "'", false, true)],
        in_words: "-:@.",
        ..LIKE_SHELL
    },
    Language {
        names: "md markdown mdx rst adoc",
        shape: Shape::Prose,
        ..LIKE_SHELL
    },
    Language {
        names: "diff patch",
        shape: Shape::Diff,
        ..LIKE_SHELL
    },
];
