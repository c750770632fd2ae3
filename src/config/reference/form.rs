//! The forms of text that settings take: how a message and the reference name each, and what an editor can see of it.
//!
//! A pattern is never stricter than the reader. Where the reader knows more, the form says so, because an editor that stays
//! silent then has not said that all is well.

/// A form that a text has.
#[derive(Debug)]
pub(in crate::config) struct Form {
    /// As a message says what was expected.
    pub said: &'static str,
    /// A regular expression of JSON Schema that matches every text that is taken.
    pub pattern: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold pattern and reader against each other by it"))]
    pub sees: Sees,
    /// Texts that are taken, the first of them a good example.
    pub taken: &'static [&'static str],
    /// Texts that are refused.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold pattern and reader to it"))]
    pub refused: &'static [&'static str],
}

/// How much of what is wrong with a text its pattern can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Sees {
    All,
    /// Not, say, whether a key is one.
    NotAll,
}

const BLANKS: &[&str] = &["", "  "];

const fn plain(said: &'static str, taken: &'static [&'static str]) -> Form {
    Form { said, pattern: r"\S", sees: Sees::All, taken, refused: BLANKS }
}

pub(in crate::config) const TEXT: Form = plain("a string", &["acme", " a b "]);
pub(in crate::config) const FILE: Form = plain("a path", &["teams.csv", "/srv/a b.csv"]);
pub(in crate::config) const SOURCE_FILE: Form = plain("a file", &["hr_export.csv", "-", "/srv/hr.xlsx"]);
pub(in crate::config) const COLUMN: Form = plain("the name of a column", &["employee_id", "Job Title"]);
pub(in crate::config) const CONDITION: Form =
    plain("an expression over the row's columns", &["status != 'Applicant'", "row['Job Title'] and active == 'yes'"]);
pub(in crate::config) const ATTRIBUTE: Form = plain("the name of an attribute", &["login_id", "name.givenName"]);
pub(in crate::config) const COMMAND: Form = plain("a command", &["pass show imichat", "vault"]);

pub(in crate::config) const DURATION: Form = Form {
    said: "a duration such as \"30s\", \"15m\", \"24h\" or \"90d\"",
    pattern: r"^\s*([0-9]+(ms|s|m|h|d|w)\s*)+$",
    sees: Sees::NotAll,
    taken: &["30s", "500ms", "15m", "24h", "90d", "2w", " 1h 30m ", "0s"],
    refused: &["", " ", "30", "s", "-5s", "1.5h", "3 s", "3 fortnights", "1h,30m"],
};

pub(in crate::config) const SOME_DURATION: Form = Form {
    pattern: r"^(?=[\s\S]*[1-9])\s*([0-9]+(ms|s|m|h|d|w)\s*)+$",
    taken: &["30s", "500ms", "15m", "24h", "90d", "2w", " 1h 30m ", "0h10s"],
    refused: &["", "30", "s", "-5s", "0s", "0h 00ms"],
    ..DURATION
};

pub(in crate::config) const PERCENT: Form = Form {
    said: "a percentage such as \"5%\"",
    pattern: r"^\s*0*(100(\.0*)?|[0-9]{1,2}(\.[0-9]*)?|\.[0-9]+)\s*%\s*$",
    sees: Sees::All,
    taken: &["5%", "0%", "100%", " 2.5 % ", "012%", "100.0%", ".5%", "7.%"],
    refused: &["", "5", "101%", "-1%", "%", "inf%", "1e1%", "1.2.3%", "100.1%", "five%"],
};

pub(in crate::config) const DELIMITER: Form = Form {
    said: "one character such as \",\", \";\", \"|\" or \"\\t\"",
    pattern: r"^[\u0001-\u0009\u000B\u000C\u000E-\u0021\u0023-\u007F]$",
    sees: Sees::All,
    taken: &[";", ",", "|", "\t", " "],
    refused: &["", ";;", "\"", "\n", "ä", "—"],
};

pub(in crate::config) const ENCODING: Form = Form {
    said: "the name of an encoding",
    pattern: r"\S",
    sees: Sees::NotAll,
    taken: &["windows-1252", "utf-8", "iso-8859-15", "utf-16le", "shift_jis", "UTF8"],
    refused: BLANKS,
};

pub(in crate::config) const BASE_URL: Form = Form {
    said: "an address such as \"https://acme.imi.chat/v3.1\", or \"sandbox\"",
    pattern: r"^\s*(sandbox|[hH][tT][tT][pP]([sS]://[^/?#@]+|://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?)(/[^?#]*)?)\s*$",
    sees: Sees::NotAll,
    taken: &[
        "sandbox",
        "https://acme.imi.chat/v3.1",
        "https://acme.imi.chat/v3.1/",
        "HTTPS://acme.imi.chat:8443",
        "http://localhost:8080",
        "http://127.0.0.1:1/v3.1",
        "http://[::1]:9",
    ],
    refused: &[
        "",
        "sandbx",
        "acme.imi.chat",
        "http://acme.imi.chat",
        "http://localhost.acme.org",
        "ftp://acme.imi.chat",
        "https://me:word@acme.imi.chat",
        "https://acme.imi.chat?a=b",
        "https://acme.imi.chat/#a",
    ],
};

pub(in crate::config) const SUB_PATH: Form = Form {
    said: "a path that begins with /",
    pattern: "^/",
    sees: Sees::All,
    taken: &["/authorize", "/v2/authorize"],
    refused: &["", "authorize", " /authorize"],
};

pub(in crate::config) const HEADER: Form = Form {
    said: "the name of an HTTP header",
    pattern: r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    sees: Sees::All,
    taken: &["auth_code", "X-Auth", "access_token"],
    refused: &["", "a b", "a:b", "é"],
};

pub(in crate::config) const TEAM_ID: Form = Form {
    said: "a string without blanks",
    pattern: "^[!-~]+$",
    sees: Sees::All,
    taken: &["1", "team-7"],
    refused: &["", "a b", "é"],
};

pub(in crate::config) const VARIABLE: Form = Form {
    said: "the name of an environment variable (letters, digits, _)",
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    sees: Sees::All,
    taken: &["IMICHAT_API_KEY", "_key2"],
    refused: &["", "1A", "a-b", "a b"],
};

pub(in crate::config) const GLOB: Form = Form {
    said: "a pattern such as \"admin*\"",
    pattern: r"\S",
    sees: Sees::NotAll,
    taken: &["admin*", "svc-*", "?ot", "{a,b}*", "[ab]*"],
    refused: BLANKS,
};

pub(in crate::config) const RECIPIENT: Form = Form {
    said: "\"discard\", or the public key that age-keygen prints, \"age1…\"",
    pattern: "^(discard|age1[0-9a-z]+)$",
    sees: Sees::NotAll,
    taken: &["discard", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
    refused: &["", "me", "discarded", "AGE-SECRET-KEY-1QQQQ"],
};

pub(in crate::config) const REPORT_FILE: Form = Form {
    said: "a path, in which {run} stands for the run's name",
    pattern: r"^\s*([^{}\s]|\{run\})([^{}]|\{run\})*$",
    sees: Sees::All,
    taken: &["reports/{run}.html", "last.html", "{run}"],
    refused: &["", "  ", "{date}.html", "a{.html", "{run}}"],
};

/// A file of rows, which promises no format that rows are not written in.
pub(in crate::config) const SHEET_FILE: Form = Form {
    pattern: r"^(?![\s\S]*[^/]\.(ods|xls|xlsb|xlsm|json|gz|gzip|zst|zstd|zip|bz2|xz|7z|html)$)\s*([^{}\s]|\{run\})([^{}]|\{run\})*$",
    sees: Sees::NotAll,
    taken: &["reports/{run}-errors.csv", "errors", "{run}", "a.b/errors.xlsx", "a/.html"],
    refused: &["", "  ", "{date}.csv", "{run}}", "errors.html", "reports/{run}.ods", "errors.csv.gz"],
    ..REPORT_FILE
};

pub(in crate::config) const ONE_FILE: Form = Form {
    said: "a path without braces",
    pattern: r"^\s*[^{}\s][^{}]*$",
    sees: Sees::All,
    taken: &["reports/headcount.prom"],
    refused: &["", "{run}.prom", "a}"],
};

pub(in crate::config) const MAPPED_COLUMN: Form = Form {
    said: "the name of a column",
    pattern: r"^(?![\s\S]*(\{\{|\{%))[\s\S]*\S",
    sees: Sees::All,
    taken: &["job_title", "Job Title", "a {b}"],
    refused: &["", " ", "{{ job_title }}", "{% if a %}b{% endif %}"],
};

pub(in crate::config) const TEMPLATE: Form = plain("a template", &["{{ first_name | lower }}", "{{ a }}@acme.org"]);

/// A plain string in `[map]`.
pub(in crate::config) const EXPRESSION: Form =
    plain("the name of a column, or a template", &["work_email", "{{ work_email | lower }}"]);
