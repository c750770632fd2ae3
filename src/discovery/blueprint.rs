//! What `init` writes for a system, as data: which attribute is made from what an export holds, which of them find an
//! account, and what going live takes. Each system's descriptor has one.

use super::meaning::Meaning;

/// The configuration of a system, before an export is known.
#[derive(Debug, PartialEq)]
pub struct Blueprint {
    /// As `target.kind` names it.
    pub kind: &'static str,
    /// An address as live tenants have it.
    pub address: &'static str,
    /// What going live takes: setting, example, comment.
    pub to_go_live: &'static [(&'static str, &'static str, &'static str)],
    pub attributes: &'static [Wish],
    /// The attributes that find an account, where they are mapped.
    pub rules: &'static [&'static str],
}

/// What an attribute, or several, are made from.
#[derive(Debug, PartialEq)]
pub enum Wish {
    /// The system needs it. Where nothing gives it, it is to be filled in with what is said here.
    Needed { attribute: &'static str, from: ValueOrigin, wants: &'static str },
    /// It is mapped where the export has it.
    Welcome { attribute: &'static str, from: ValueOrigin },
    /// First and last name, from two columns or from one.
    Names { first: &'static str, last: &'static str },
    /// Whether somebody is in use.
    InUse { attribute: &'static str, as_: InUse },
    /// Pairs such as `English:100`.
    Skills { attribute: &'static str },
    /// The team and the role of newcomers, where teams are known by their ids.
    Membership { attribute: &'static str, roles: &'static [&'static str], usual_role: &'static str },
    /// A random text.
    Password { attribute: &'static str },
    /// A line that is switched off; with `unless_missing`, only where the export has that.
    Off { attribute: &'static str, value: &'static str, comment: &'static str, unless_missing: Option<ValueOrigin> },
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueOrigin {
    /// A login of its own, the beginning of the address, the address, the identity: the first that tells people apart.
    Login,
    /// The address where it tells people apart, else as [`ValueOrigin::Login`].
    AddressOrLogin,
    Address,
    Identity,
    /// The name of a team; the one that was answered where there is none.
    Team,
    /// The first of these that the export has.
    Column(&'static [Meaning]),
}

/// How the system says who is in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InUse {
    /// `active` or `inactive`.
    Word,
    /// True for a leaver.
    TrueForLeavers,
    /// True for everybody else.
    TrueForOthers,
}

impl Blueprint {
    /// Whether a team has to be known, so that somebody is asked for one where the export has none.
    #[must_use]
    pub fn needs_team(&self) -> bool {
        self.attributes.iter().any(|wish| matches!(wish, Wish::Needed { from: ValueOrigin::Team, .. }))
    }

    /// Whether it generates passwords, so that somebody has to get them.
    pub(super) fn has_passwords(&self) -> bool {
        self.attributes.iter().any(|wish| matches!(wish, Wish::Password { .. }))
    }

    /// Whether it looks up the ids of teams.
    pub(super) fn looks_up_teams(&self) -> bool {
        self.attributes.iter().any(|wish| matches!(wish, Wish::Membership { .. }))
    }
}
