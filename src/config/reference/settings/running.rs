//! `[rate]`, `[journal]`, `[passwords]` and `[report]`.

use std::ops::RangeInclusive;

use super::super::{ATTRIBUTE, DURATION, FILE, ONE_FILE, PERCENT, RECIPIENT, REPORT_FILE, SHEET_FILE, SOME_DURATION};
use super::super::{Choice, choice, words};
use super::super::{Doubles, Keys, Otherwise, Presence, Rule, Section, Setting, Takes, Zero};
use crate::config::settings::Occasion;

/// Requests per second: one in a thousand seconds is the slowest.
pub(in crate::config) const PACE: RangeInclusive<f64> = 0.001..=1_000_000.0;
pub(in crate::config) const BURST: RangeInclusive<i64> = 1..=1_000_000;
pub(in crate::config) const CONCURRENCY: RangeInclusive<i64> = 1..=256;
pub(in crate::config) const RETRIES: RangeInclusive<i64> = 0..=100;

pub(in crate::config) const OCCASIONS: [Choice<&[Occasion]>; 5] = [
    choice("success", &[Occasion::Success], "everything was done, or there was nothing to do"),
    choice(
        "failure",
        &[Occasion::Failure],
        "accounts failed, or it is not known what became of them; or the run failed before anything was changed",
    ),
    choice("held", &[Occasion::Held], "a limit of `[safety]` held something back, or everything"),
    choice("paused", &[Occasion::Paused], "the run was paused, and can be resumed"),
    choice("always", &Occasion::ALL, "each of these"),
];

pub(in crate::config) const WEBHOOK_SAID: &str =
    "a table such as { url = { env = \"HEADCOUNT_WEBHOOK\" }, on = [\"failure\"] }";
pub(in crate::config) const OCCASIONS_SAID: &str = "a list such as [\"failure\", \"held\"]";

pub(in crate::config) const RATE: Section = Section {
    name: "rate",
    says: "How fast requests leave, and how patient a run is. A server that asks for more patience (`Retry-After`) gets it; for \
           more than five minutes nobody waits, and the run stops.",
    presence: Presence::Optional,
    keys: Keys::These(&[
        Setting {
            name: "requests_per_second",
            takes: Takes::Number { range: PACE, zero: Zero::Allowed },
            otherwise: Otherwise::Default("5"),
            says: "How many requests leave in a second, at most. 0 is no limit.",
        },
        Setting {
            name: "burst",
            takes: Takes::Integer(BURST),
            otherwise: Otherwise::Default("5"),
            says: "How many requests may leave at once after a pause.",
        },
        Setting {
            name: "concurrency",
            takes: Takes::Integer(CONCURRENCY),
            otherwise: Otherwise::Default("4"),
            says: "How many requests may be under way at once.",
        },
        Setting {
            name: "daily_reserve",
            takes: Takes::Text(&PERCENT),
            otherwise: Otherwise::Default("\"5%\""),
            says: "The share of the tenant's daily quota that is left for others. Where a server does not say how large the \
                   quota is, nothing can be reserved.",
        },
        Setting {
            name: "retries",
            takes: Takes::Integer(RETRIES),
            otherwise: Otherwise::Default("5"),
            says: "How often one request is repeated, at most, after a failure that may pass. What is not safe to send twice, \
                   such as a create, is repeated only where it was certainly not carried out.",
        },
        Setting {
            name: "timeout",
            takes: Takes::Text(&SOME_DURATION),
            otherwise: Otherwise::Default("\"30s\""),
            says: "How long one request may take, from connecting to the last byte of its answer.",
        },
        Setting {
            name: "wait_for_quota",
            takes: Takes::Boolean,
            otherwise: Otherwise::Default("false"),
            says: "Whether a run sleeps until the daily quota resets, instead of pausing with exit code 6.",
        },
    ]),
    more: "",
    example: "[rate]\nrequests_per_second = 20\nconcurrency         = 8\ndaily_reserve       = \"20%\"\ntimeout             = \"1m\"\n",
};

pub(in crate::config) const JOURNAL: Section = Section {
    name: "journal",
    says: "Where headcount keeps what it has to remember: the journal of its runs, their plans and reports, who has which \
           account, and the last listing.",
    presence: Presence::Optional,
    keys: Keys::These(&[
        Setting {
            name: "path",
            takes: Takes::Text(&FILE),
            otherwise: Otherwise::Default("\".headcount\""),
            says: "The state directory. It is made where it is missing, for its owner alone (mode 0700), and one run at a \
                   time holds it. Each configuration needs one of its own. `--state DIR` names another.",
        },
        Setting {
            name: "keep",
            takes: Takes::Text(&DURATION),
            otherwise: Otherwise::Default("\"90d\""),
            says: "Runs that ended longer ago than this are forgotten after the next run, and so are plans that were made \
                   longer ago.",
        },
    ]),
    more: "",
    example: "[journal]\npath = \"/var/lib/headcount/acme\"\nkeep = \"1w\"\n",
};

pub(in crate::config) const PASSWORDS: Section = Section {
    name: "passwords",
    says: "Where [generated](#map) passwords go. They are never printed, logged or kept.",
    presence: Presence::Optional,
    keys: Keys::These(&[
        Setting {
            name: "deliver_to",
            takes: Takes::Text(&RECIPIENT),
            otherwise: Otherwise::Default("\"discard\""),
            says: "Who gets them: the owner of an [age](https://age-encryption.org) key, as whose public half this is, or \
                   with `\"discard\"` nobody, so that people have to reset theirs.",
        },
        Setting {
            name: "file",
            takes: Takes::Text(&FILE),
            otherwise: Otherwise::Default("\"passwords.age\""),
            says: "The file that they are written to, encrypted for that key (CSV with `key`, `identity`, `account`, \
                   `attribute` and `value`). `{run}` stands for the run's name; without it, the name is put in where there \
                   is such a file already.",
        },
    ]),
    more: "",
    example: "[passwords]\n\
              deliver_to = \"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"   # its owner: age -d -i key.txt\n\
              file       = \"passwords-{run}.age\"\n",
};

pub(in crate::config) const REPORT: Section = Section {
    name: "report",
    says: "What is written and who is told when a run is over, beside what stands on the terminal.",
    presence: Presence::Optional,
    keys: Keys::These(&[
        Setting {
            name: "html",
            takes: Takes::Text(&REPORT_FILE),
            otherwise: Otherwise::Without("none is written"),
            says: "A report for a browser: one file that can be mailed or printed, written after every run.",
        },
        Setting {
            name: "markdown",
            takes: Takes::Text(&REPORT_FILE),
            otherwise: Otherwise::Without("none is written"),
            says: "A short report for a ticket, a pull request or a chat, written after every run.",
        },
        Setting {
            name: "errors",
            takes: Takes::Text(&SHEET_FILE),
            otherwise: Otherwise::Without("none is written"),
            says: "The rows that were invalid, in conflict, or failed, as they came, with what is wrong beside them, to be \
                   mended and fed to headcount again. Written after every plan and every run that has such rows. The ending \
                   tells the format: `.csv`, `.tsv`, `.xlsx` or `.jsonl`; without an ending it is that of the export, and one that promises a format in which no rows are written is \
                   refused.",
        },
        Setting {
            name: "redact",
            takes: Takes::List {
                of: &Takes::Text(&ATTRIBUTE),
                least: 0,
                doubles: Doubles::Allowed,
                said: "a list of the names of attributes",
            },
            otherwise: Otherwise::Default("[\"password\", \"custom_attributes\"]"),
            says: "Attributes whose values no report shows, on paper or on the terminal. A name may point inside an object \
                   (`custom_attributes.business`).",
        },
        Setting {
            name: "metrics",
            takes: Takes::Text(&ONE_FILE),
            otherwise: Otherwise::Without("none are written"),
            says: "The last run in numbers, for the textfile collector of Prometheus' node exporter. One file for all runs, \
                   and one of its own for each configuration.",
        },
        Setting {
            name: "webhook",
            takes: Takes::Table { settings: &WEBHOOK, rule: Rule::Free, said: WEBHOOK_SAID },
            otherwise: Otherwise::Without("nobody is told"),
            says: "Who is told, with a message in JSON, how a run ended. A webhook that fails never changes how that was.",
        },
    ]),
    more: "In a path, `{run}` stands for the run's name. Folders that are missing are made.",
    example: "[report]\n\
              html    = \"reports/{run}.html\"\n\
              errors  = \"reports/{run}-errors.xlsx\"\n\
              webhook = { url = { env = \"HEADCOUNT_WEBHOOK\" }, on = [\"failure\", \"held\"] }\n",
};

pub(in crate::config) const WEBHOOK: [Setting; 3] = [
    Setting {
        name: "url",
        takes: Takes::Secret("HEADCOUNT_WEBHOOK"),
        otherwise: Otherwise::Needed,
        says: "The address. It is a secret, because whoever knows it can send messages there.",
    },
    Setting {
        name: "on",
        takes: Takes::List {
            of: &Takes::Choice(&words(&OCCASIONS)),
            least: 1,
            doubles: Doubles::Allowed,
            said: OCCASIONS_SAID,
        },
        otherwise: Otherwise::Default("[\"failure\", \"held\"]"),
        says: "What it is told of.",
    },
    Setting {
        name: "secret",
        takes: Takes::Secret("HEADCOUNT_WEBHOOK_SECRET"),
        otherwise: Otherwise::Without("messages are not signed"),
        says: "The key that messages are signed with (HMAC-SHA256, in the header `X-Headcount-Signature`).",
    },
];
