//! What templates can do with a text, as data: each with an example, which a test has the mapping carry out.

/// A filter that headcount adds to those of the template engine.
#[derive(Debug)]
pub(super) struct TemplateFilter {
    /// As it stands behind `|`.
    pub call: &'static str,
    /// As Markdown.
    pub says: &'static str,
    /// A text, and what the filter makes of it.
    pub example: (&'static str, &'static str),
}

pub(super) const FILTERS: [TemplateFilter; 7] = [
    TemplateFilter {
        call: "lookup('teams', 'team_id')",
        says: "the cell in the column `team_id` of the row in `[lookup.teams]` whose key is the text; an unknown key \
           makes the row invalid, an empty text stays empty",
        example: ("North", "12"),
    },
    TemplateFilter {
        call: "before('@')",
        says: "the text before the first `@`; the whole text if there is none",
        example: ("ana.diaz@acme.org", "ana.diaz"),
    },
    TemplateFilter {
        call: "after('@')",
        says: "the text after the first `@`; nothing if there is none",
        example: ("ana.diaz@acme.org", "acme.org"),
    },
    TemplateFilter { call: "ascii", says: "the text in plain letters", example: ("Zoë Łukasz", "Zoe Lukasz") },
    TemplateFilter {
        call: "slug",
        says: "small plain letters and digits, with a hyphen for everything between them",
        example: ("Zoë D'Arc", "zoe-d-arc"),
    },
    TemplateFilter { call: "digits", says: "nothing but the digits", example: ("+1 (555) 01", "155501") },
    TemplateFilter {
        call: "date('%d.%m.%Y')",
        says: "a date in another form, as in strftime",
        example: ("2024-03-01", "01.03.2024"),
    },
];

/// Filters of the engine that exports often need.
pub(super) const USUAL: [&str; 12] =
    ["lower", "upper", "title", "capitalize", "trim", "replace", "default", "split", "join", "first", "last", "length"];
