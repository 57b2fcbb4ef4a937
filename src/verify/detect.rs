//! Which commands the files of a folder suggest. They are offered, not run: a person says yes first.
//!
//! What somebody wrote for the project comes first: a recipe of its justfile or Makefile. A linter is suggested only
//! where the project is set up for it.

use std::path::Path;

use serde_json::Value;

use crate::domain::check::Commands;
use crate::git::file;

/// The command for tests is that of the first row whose conditions are all true.
///
/// A condition is a list of signs, one of which has to be there: `name`, a file; `name~text`, one with this in it;
/// `name:rule`, a Makefile or a justfile with this rule; `name#script`, JSON with this script; `*ending`, any file that
/// ends so. [`filled_in`] says what `{…}` in a command is; without it the row does not count.
#[rustfmt::skip]
const TESTS: [(&[&str], &str); 39] = [
    (&["justfile:test|Justfile:test|.justfile:test"], "just test"),
    (&["GNUmakefile:test|makefile:test|Makefile:test"], "make test"),
    (&["Cargo.toml", ".config/nextest.toml"], "cargo nextest run --workspace"),
    (&["Cargo.toml~[workspace]"], "cargo test --workspace"),
    (&["Cargo.toml"], "cargo test"),
    // `./...` ends where another module begins.
    (&["go.work"], "go list -f '{{.Dir}}/...' -m | xargs go test"),
    (&["go.mod"], "go test ./..."),
    (&["gradlew"], "./gradlew test"),
    (&["build.gradle|build.gradle.kts"], "gradle test"),
    (&["mvnw"], "./mvnw test"),
    (&["pom.xml"], "mvn test"),
    (&["mix.exs"], "mix test"),
    (&["Package.swift"], "swift test"),
    (&[".venv/bin/python", ".venv/bin/pytest"], ".venv/bin/python -m pytest"),
    (&["venv/bin/python", "venv/bin/pytest"], "venv/bin/python -m pytest"),
    (&[PYTEST], "{python_tool} run pytest"),
    (&[PYTEST], "python3 -m pytest"),
    (&["manage.py"], "{python_tool} run python manage.py test"),
    (&["manage.py"], "python3 manage.py test"),
    (&["Gemfile", ".rspec|spec/spec_helper.rb"], "bundle exec rspec"),
    (&["Gemfile", "bin/rails"], "bin/rails test"),
    (&["Gemfile", "Rakefile~test"], "bundle exec rake test"),
    (&["composer.json#test"], "composer test"),
    (&["composer.json", "artisan"], "php artisan test"),
    (&["composer.json", "phpunit.xml|phpunit.xml.dist"], "vendor/bin/phpunit"),
    (&["deno.json~deno test|deno.jsonc~deno test", "deno.json~\"test\":|deno.jsonc~\"test\":"], "deno task test"),
    (&["deno.json|deno.jsonc"], "deno test"),
    (&["package.json#test"], "{manager} run test"),
    (&["package.json", "turbo.json~\"test\""], "{exec} turbo run test"),
    (&["package.json", "nx.json"], "{exec} nx run-many -t test"),
    (&["package.json", "pnpm-workspace.yaml"], "pnpm -r run test"),
    (&["package.json~\"workspaces\"", "package-lock.json"], "npm run test --workspaces --if-present"),
    (&["package.json", "bun.lock|bun.lockb"], "bun test"),
    (&["*.sln|*.slnx|*.csproj|*.fsproj"], "dotnet test"),
    (&[CTEST, "build/CTestTestfile.cmake"], "cmake --build build && ctest --test-dir build --output-on-failure"),
    (&[CTEST], "cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure"),
    (&["noxfile.py"], "nox"),
    (&["tox.ini"], "tox"),
    // What GNU calls it.
    (&["GNUmakefile:check|makefile:check|Makefile:check"], "make check"),
];

/// The same for the linter.
#[rustfmt::skip]
const LINTERS: [(&[&str], &str); 18] = [
    (&["justfile:lint|Justfile:lint|.justfile:lint"], "just lint"),
    (&["GNUmakefile:lint|makefile:lint|Makefile:lint"], "make lint"),
    (
        &["Cargo.toml", "clippy.toml|.clippy.toml|Cargo.toml~[lints.clippy]|Cargo.toml~[workspace.lints.clippy]"],
        "cargo clippy --all-targets -- -D warnings",
    ),
    (&[".golangci.yml|.golangci.yaml|.golangci.toml|.golangci.json"], "golangci-lint run"),
    (&["go.work"], "go list -f '{{.Dir}}/...' -m | xargs go vet"),
    (&["go.mod"], "go vet ./..."),
    (&[".credo.exs"], "mix credo"),
    (&[".swiftlint.yml"], "swiftlint"),
    (&[RUFF, ".venv/bin/ruff"], ".venv/bin/ruff check ."),
    (&[RUFF], "{python_tool} run ruff check ."),
    (&[RUFF], "ruff check ."),
    (&["Gemfile", ".rubocop.yml"], "bundle exec rubocop"),
    (&["composer.json#lint"], "composer lint"),
    (&["composer.json", "phpstan.neon|phpstan.neon.dist"], "vendor/bin/phpstan analyse"),
    (&["deno.json~\"lint\":|deno.jsonc~\"lint\":"], "deno lint"),
    (&["package.json#lint"], "{manager} run lint"),
    (&["package.json", "turbo.json~\"lint\""], "{exec} turbo run lint"),
    (&["package.json", "biome.json|biome.jsonc"], "{exec} biome check ."),
];

const PYTEST: &str = "pytest.ini|conftest.py|tests/conftest.py|pyproject.toml~pytest|setup.cfg~pytest|\
                      requirements.txt~pytest|requirements-dev.txt~pytest|tox.ini~[pytest]";
const RUFF: &str = "ruff.toml|.ruff.toml|pyproject.toml~[tool.ruff";
const CTEST: &str = "CMakeLists.txt~enable_testing|CMakeLists.txt~include(CTest)";

/// The tools that keep a Python project's environment.
const PYTHON_TOOLS: [(&str, &str); 4] = [
    ("uv.lock|pyproject.toml~[tool.uv", "uv"),
    ("poetry.lock|pyproject.toml~[tool.poetry", "poetry"),
    ("pdm.lock|pyproject.toml~[tool.pdm", "pdm"),
    ("Pipfile", "pipenv"),
];

/// The package managers of JavaScript, and how each runs a program that the project has installed.
#[rustfmt::skip]
const MANAGERS: [(&str, &str, &str); 4] = [
    ("package.json~\"pnpm@|pnpm-lock.yaml|pnpm-workspace.yaml", "pnpm", "pnpm exec"),
    ("package.json~\"yarn@|yarn.lock", "yarn", "yarn run"),
    ("package.json~\"bun@|bun.lock|bun.lockb", "bun", "bun run"),
    ("package.json", "npm", "npx --no"),
];

/// In a folder with more entries, endings of names are not looked for.
const ENTRIES: usize = 1_000;

/// The commands for a folder. Only names of files, rules and scripts count; the commands are fixed here.
pub fn detect(folder: &Path) -> Commands {
    let first = |table: &[(&[&str], &str)]| {
        let mut fitting = table
            .iter()
            .filter(|(conditions, _)| conditions.iter().all(|signs| has_one(folder, signs)));
        fitting.find_map(|(_, command)| filled_in(folder, command))
    };
    Commands {
        test: first(&TESTS),
        lint: first(&LINTERS),
        ..Commands::default()
    }
}

/// With the project's `{python_tool}`, its package `{manager}`, and how that does `{exec}`.
fn filled_in(folder: &Path, command: &str) -> Option<String> {
    let python = || {
        PYTHON_TOOLS
            .iter()
            .find(|(signs, _)| has_one(folder, signs))
    };
    let manager = || MANAGERS.iter().find(|(signs, ..)| has_one(folder, signs));
    Some(match command.split_once('}') {
        Some(("{python_tool", rest)) => format!("{}{rest}", python()?.1),
        Some(("{manager", rest)) => format!("{}{rest}", manager()?.1),
        Some(("{exec", rest)) => format!("{}{rest}", manager()?.2),
        _ => command.to_owned(),
    })
}

/// Whether one of the signs is there.
fn has_one(folder: &Path, signs: &str) -> bool {
    let text = |name: &str| file::text(&folder.join(name)).unwrap_or_default();
    signs.split('|').any(|sign| {
        if let Some((name, part)) = sign.split_once('~') {
            text(name).contains(part)
        } else if let Some((name, rule)) = sign.split_once(':') {
            has_rule(&text(name), rule, name.to_lowercase().ends_with("justfile"))
        } else if let Some((name, script)) = sign.split_once('#') {
            has_script(&text(name), script)
        } else if let Some(ending) = sign.strip_prefix('*') {
            has_name_with(folder, ending)
        } else {
            folder.join(sign).is_file()
        }
    })
}

/// Whether a Makefile has a rule, like `name: …` or `name other: …`, or a justfile, like `@name argument='1': …`.
fn has_rule(text: &str, name: &str, is_justfile: bool) -> bool {
    // The rules that cmake writes do not build what they test.
    let is_generated = text.starts_with("# CMAKE generated file");
    let mut lines = text.lines().filter(|_| !is_generated);
    lines.any(|line| {
        let Some((left, right)) = line.split_once(':') else {
            return false;
        };
        let mut words = left.trim_start_matches('@').split_whitespace();
        let is_named = match is_justfile {
            true => words.next() == Some(name),
            false => !left.contains('=') && words.any(|word| word == name),
        };
        is_named && !left.starts_with([' ', '\t']) && !right.starts_with('=')
    })
}

/// Format: package.json of npm, composer.json: `scripts`.
fn has_script(text: &str, name: &str) -> bool {
    /// What `npm init` writes if there are no tests.
    const NO_TESTS: &str = "no test specified";
    let package: Value = serde_json::from_str(text).unwrap_or_default();
    match &package["scripts"][name] {
        Value::Null => false,
        script => !script.to_string().contains(NO_TESTS),
    }
}

fn has_name_with(folder: &Path, ending: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.take(ENTRIES).map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().ends_with(ending))
}
