//! A company of any size, and its accounts: what the benches work on. The same numbers always give the same bytes.
//!
//! Of N rows, one in a hundred has no account, and two in a hundred have one that differs (a name, a skill, a flag). To
//! these come accounts without a row, one for every hundred rows. Accounts stand in an order that has nothing to do
//! with that of the rows, as in a listing.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The columns of `samples/hr_export.csv`.
const ROW: &str =
    "employee_id,first_name,last_name,work_email,job_title,team,role,skills,status,manager_id,location,start_date";

/// The columns of an export of imi.chat accounts.
const ACCOUNT: &str = "account,id,login_id,email_id,first_name,last_name,job_description,login_using_email,\
                       skill_attributes,status,role_type,active_chats,logged_in,accepting_chats,created_at,updated_at";

/// Where the login, by which rows and accounts find each other, stands among the columns of an account, from 0.
pub const LOGIN: usize = 2;

/// What there is to find in a company of a given size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub created: u64,
    pub updated: u64,
    pub absent: u64,
}

impl Expected {
    /// For so many rows.
    pub fn of(rows: u64) -> Self {
        let among = |standing| (0..rows).filter(|person| Standing::of(*person, rows) == standing).count() as u64;
        Self { created: among(Standing::New), updated: among(Standing::Differs), absent: gone(rows) }
    }
}

/// Writes the HR export.
pub fn export(path: &Path, rows: u64) -> io::Result<()> {
    write(path, ROW, 0..rows, |out, number| Person::of(number).row(out))
}

/// Writes the accounts as they are.
pub fn accounts(path: &Path, rows: u64) -> io::Result<()> {
    let there = shuffled(rows + gone(rows)).filter(|person| Standing::of(*person, rows) != Standing::New);
    write(path, ACCOUNT, there, |out, number| Person::of(number).account(out, Standing::of(number, rows)))
}

/// Writes the accounts as the HR export wants them, in the order of its rows: what a program that only compares tables
/// would be given.
pub fn wanted(path: &Path, rows: u64) -> io::Result<()> {
    write(path, ACCOUNT, 0..rows, |out, number| Person::of(number).account(out, Standing::Same))
}

/// Accounts without a row: they come after the people who have one.
fn gone(rows: u64) -> u64 {
    rows / 100
}

/// How a person's account is to the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Same,
    Differs,
    New,
    Gone,
}

impl Standing {
    fn of(person: u64, rows: u64) -> Self {
        match person % 100 {
            _ if person >= rows => Self::Gone,
            37 => Self::New,
            11 | 73 => Self::Differs,
            _ => Self::Same,
        }
    }
}

const FIRST: [&str; 16] = [
    "Ana",
    "Bo",
    "Chloé",
    "Deniz",
    "Élodie",
    "Farid",
    "Göran",
    "Hana",
    "Ingrid",
    "José",
    "Katarzyna",
    "Liam",
    "Mònica",
    "Nuala",
    "Özlem",
    "Péter",
];
const LAST: [&str; 16] = [
    "Abel",
    "Brennan",
    "Çelik",
    "Díaz",
    "Eriksson",
    "Fischer",
    "García",
    "Horváth",
    "Iwata",
    "Jørgensen",
    "Kowalska",
    "Li",
    "Müller",
    "Nováková",
    "O'Brien",
    "Pereira",
];
const TITLE: [&str; 6] =
    ["Agent", "Senior Agent", "Team Lead", "\"Agent, \"\"Gold\"\" Accounts\"", "Analyst", "Conseiller clientèle"];
const TEAM: [&str; 4] = ["Customer Care", "Billing", "Technical Support", "Night Shift"];
const ROLE: [&str; 4] = ["Team Agent", "Team Agent", "Team Analyst", "Team Manager"];
const SKILL: [&str; 6] = ["English", "French", "Polish", "Portuguese", "Routers", "Spanish"];
const PLACE: [&str; 5] = ["Dublin", "København", "Lisbon", "München", "Osaka"];

struct Person {
    number: u64,
    /// Sixty-four bits that follow from the number, for everything that varies.
    chance: u64,
}

impl Person {
    fn of(number: u64) -> Self {
        Self { number, chance: mixed(number) }
    }

    /// One of `from`; each `which` chooses by itself.
    fn one<'a>(&self, from: &[&'a str], which: u32) -> &'a str {
        from[(self.chance.rotate_right(which * 7) % from.len() as u64) as usize]
    }

    /// What leads to an account stays with the number, whatever the name.
    fn login(&self) -> String {
        format!("p{:07}.{}", self.number, self.one(&["ops", "desk", "team", "chat"], 1))
    }

    fn leaver(&self) -> bool {
        self.chance.rotate_right(41).is_multiple_of(32) && self.number % 100 != 37
    }

    /// In the order of their names, with a share each.
    fn skills(&self, more: u64) -> String {
        let first = (self.chance >> 17) % 4;
        let second = first + 1 + (self.chance >> 23) % 2;
        let share = |bits: u64| 10 * (1 + (self.chance >> bits) % 9);
        format!("{}:{};{}:{}", SKILL[first as usize], share(29) + more, SKILL[second as usize], share(37))
    }

    fn row(&self, out: &mut dyn Write) -> io::Result<()> {
        let login = self.login();
        // Exports have capitals where accounts have none.
        let login = if self.chance.is_multiple_of(8) { login.to_uppercase() } else { login };
        writeln!(
            out,
            "E{:08},{},{},{login}@example.com,{},{},{},{},{},E{:08},{},20{:02}-{:02}-{:02}",
            self.number,
            self.one(&FIRST, 2),
            self.one(&LAST, 3),
            self.one(&TITLE, 4),
            self.one(&TEAM, 5),
            self.one(&ROLE, 6),
            self.skills(0),
            if self.leaver() { "Terminated" } else { "Active" },
            self.number / 20,
            self.one(&PLACE, 7),
            10 + self.chance % 14,
            1 + (self.chance >> 5) % 12,
            1 + (self.chance >> 11) % 28,
        )
    }

    fn account(&self, out: &mut dyn Write, standing: Standing) -> io::Result<()> {
        let id = 4_000 + self.number;
        let login = self.login();
        // Three ways to differ, none of which takes access away or gives it.
        let way = if standing == Standing::Differs { 1 + self.chance % 3 } else { 0 };
        writeln!(
            out,
            "{id},{id},{login},{login}@example.com,{},{},{},{},{},{},Customer Care,0,false,false,\
             20{:02}-04-01T08:00:00Z,2025-10-{:02}T12:30:00Z",
            self.one(&FIRST, if way == 1 { 9 } else { 2 }).to_owned() + if way == 1 { " M." } else { "" },
            self.one(&LAST, 3),
            self.one(&TITLE, 4),
            way != 2,
            self.skills(if way == 3 { 5 } else { 0 }),
            if self.leaver() { "inactive" } else { "active" },
            10 + self.chance % 14,
            1 + (self.chance >> 11) % 28,
        )
    }
}

fn write(
    path: &Path,
    header: &str,
    people: impl Iterator<Item = u64>,
    line: impl Fn(&mut dyn Write, u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(out, "{header}")?;
    for person in people {
        line(&mut out, person)?;
    }
    out.flush()
}

/// Every number below `count` once, far from its neighbours: steps of a prime around a circle.
fn shuffled(count: u64) -> impl Iterator<Item = u64> {
    const STEP: u64 = 1_000_000_007;
    // A prime divides the circle only where the circle is a multiple of it.
    assert!(!count.is_multiple_of(STEP), "so many people are more than this was made for");
    (0..count).map(move |at| at * (STEP % count.max(1)) % count)
}

/// The mixing of splitmix64: near numbers give bits that have nothing to do with each other.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
