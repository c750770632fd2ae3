//! What a column can say of a person.

/// What a column says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// The number of the person, which never changes.
    Identity,
    Login,
    Email,
    FirstName,
    LastName,
    /// First and last name in one cell.
    FullName,
    Title,
    Team,
    Department,
    Division,
    CostCenter,
    Role,
    Status,
    /// The last day.
    End,
    Skills,
    WorkPhone,
    MobilePhone,
    Extension,
}

impl Meaning {
    /// As people say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Login => "login",
            Self::Email => "e-mail",
            Self::FirstName => "first name",
            Self::LastName => "last name",
            Self::FullName => "full name",
            Self::Title => "job title",
            Self::Team => "team",
            Self::Department => "department",
            Self::Division => "division",
            Self::CostCenter => "cost center",
            Self::Role => "role",
            Self::Status => "status",
            Self::End => "last day",
            Self::Skills => "skills",
            Self::WorkPhone => "work phone",
            Self::MobilePhone => "mobile phone",
            Self::Extension => "extension",
        }
    }
}
