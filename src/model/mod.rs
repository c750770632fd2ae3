//! The words every other room speaks in: attributes and schemas, values and their normal forms, rows, desired states,
//! accounts and keys. Data and pure functions only: no I/O, no clock, no async.

pub mod account;
pub mod attribute;
pub mod cell;
pub mod command_name;
pub mod key;
pub mod located;
pub mod monitor;
pub mod normal;
pub mod percent;
pub mod row;
pub mod schema;
pub mod shape;
pub mod text;
pub mod value;

pub use account::{Account, AccountId, Attributes, Desired, Wanted};
pub use attribute::{AttrId, AttrSet, Attribute, Capabilities, Field, Kind};
pub use command_name::CommandName;
pub use key::{Digest, KeyHash, MatchRule};
pub use located::Located;
pub use monitor::{Done, Monitor, Phase, Silent, TestMonitor};
pub use percent::Percent;
pub use row::{Columns, Place, Record};
pub use schema::{Lifecycle, Protects, Schema};
pub use value::{CompactText, Secret, Value};
