//! The learner group: name, description, color, origin, and who may write it (§2.3).
//!
//! Groups are flat. Not here: the uniqueness of names (a key of the database) and members (rows of their own).

use unicode_normalization::UnicodeNormalization;

use super::error::LearningError;
use crate::ids::ConnectionId;

super::spelled! {
    /// Which interface made the group.
    Origin {
        Console = "console",
        Rest = "rest",
        Import = "import",
        Scim = "scim",
    }
}

/// A group's name: trimmed, NFC, 1-120 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// Reads a name as a person or a directory wrote it.
    pub fn parse(text: &str) -> Result<Self, LearningError> {
        let name: String = text.trim().nfc().collect();
        let invalid = |detail: &str| {
            Err(LearningError::Invalid {
                field: "name",
                detail: detail.to_owned(),
            })
        };
        if name.is_empty() {
            return invalid("a group needs a name");
        }
        if name.chars().count() > 120 {
            return invalid("a group name has at most 120 characters");
        }
        if name.chars().any(char::is_control) {
            return invalid("a group name has no control characters");
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, taken out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A color: `#RRGGBB`, upper-case. Decoration, never the carrier of a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Color(String);

impl Color {
    /// Reads a color in either case.
    pub fn parse(text: &str) -> Result<Self, LearningError> {
        let digits = text.trim().strip_prefix('#').unwrap_or_default();
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(format!("#{}", digits.to_ascii_uppercase())))
        } else {
            Err(LearningError::Invalid {
                field: "color",
                detail: "a color is written `#RRGGBB`".to_owned(),
            })
        }
    }

    /// `#RRGGBB`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A description: at most 2000 characters, possibly of several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Reads a description. Blank text is a description too; callers that know "none" ask [`Description::is_blank`].
    pub fn parse(text: &str) -> Result<Self, LearningError> {
        let text = text.trim();
        if text.chars().count() > 2000 {
            return Err(LearningError::Invalid {
                field: "description",
                detail: "a description has at most 2000 characters".to_owned(),
            });
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            return Err(LearningError::Invalid {
                field: "description",
                detail: "a description has no control characters but line breaks".to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether nothing is said.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for GroupName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The connection that manages a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    pub id: ConnectionId,
    pub name: String,
    /// Whether only the connection may write name and members.
    pub locks: bool,
}

/// Who asks to change a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A SCIM connection; last writer wins among several.
    Connection,
    /// Console, REST or CSV.
    Person,
}

/// Refuses a change of the name or the members of a locked group by anyone but a connection (§2.3, I-5).
pub fn may_write_name_and_members(
    manager: Option<&Manager>,
    writer: Writer,
) -> Result<(), LearningError> {
    match (manager, writer) {
        (Some(manager), Writer::Person) if manager.locks => {
            Err(LearningError::ManagedByDirectory {
                connection: manager.id,
                name: manager.name.clone(),
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_composed() {
        assert_eq!(
            GroupName::parse("  Verka\u{0308}ufer \n").map(GroupName::into_string),
            Ok("Verk\u{00e4}ufer".to_owned())
        );
        assert_eq!(
            GroupName::parse(&"ä".repeat(120)).map(|name| name.as_str().chars().count()),
            Ok(120)
        );
    }

    #[test]
    fn empty_long_and_controlled_names_are_refused() {
        for text in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(121)] {
            assert!(GroupName::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_color_is_upper_cased_and_strict() {
        assert_eq!(
            Color::parse("#25e3eb").map(|color| color.as_str().to_owned()),
            Ok("#25E3EB".to_owned())
        );
        for text in [
            "", "25E3EB", "#25E3E", "#25E3EBF", "#25E3EG", "red", "##25E3E", "#25É3E",
        ] {
            assert!(Color::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_description_is_trimmed_and_may_have_lines() {
        assert!(Description::parse("  \n").is_ok_and(|text| text.is_blank()));
        assert!(Description::parse("two\nlines").is_ok());
        assert!(Description::parse(&"x".repeat(2001)).is_err());
        assert!(Description::parse("a\u{7}").is_err());
    }

    #[test]
    fn a_locked_group_is_closed_to_people_and_open_to_connections() {
        let manager = Manager {
            id: ConnectionId::new(),
            name: "Okta".to_owned(),
            locks: true,
        };
        assert!(may_write_name_and_members(Some(&manager), Writer::Person).is_err());
        assert!(may_write_name_and_members(Some(&manager), Writer::Connection).is_ok());
        assert!(
            may_write_name_and_members(
                Some(&Manager {
                    locks: false,
                    ..manager
                }),
                Writer::Person
            )
            .is_ok()
        );
        assert!(may_write_name_and_members(None, Writer::Person).is_ok());
    }
}
