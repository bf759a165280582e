//! The course: something that can be completed (§2.5).

pub use super::course_status::CourseStatus;
use super::error::LearningError;

impl CourseStatus {
    /// Refuses to assign a course that is not published (4.3).
    pub fn assignable(self) -> Result<(), LearningError> {
        if self == Self::Published {
            Ok(())
        } else {
            Err(LearningError::CourseNotPublished { status: self })
        }
    }
}

/// Checks one line of text: trimmed, not empty, no control characters, at most `limit` characters.
pub fn line(field: &'static str, text: &str, limit: usize) -> Result<String, LearningError> {
    let text = text.trim();
    let problem = if text.is_empty() {
        "must not be empty".to_owned()
    } else if text.chars().count() > limit {
        format!("has at most {limit} characters")
    } else if text.chars().any(char::is_control) {
        "has no control characters".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(LearningError::Invalid {
        field,
        detail: format!("`{field}` {problem}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_published_course_is_assignable() {
        assert!(CourseStatus::Published.assignable().is_ok());
        assert!(CourseStatus::Draft.assignable().is_err());
        assert!(CourseStatus::Archived.assignable().is_err());
    }

    #[test]
    fn a_line_is_trimmed_and_bounded() {
        assert_eq!(line("title", "  Security ", 200), Ok("Security".to_owned()));
        assert!(line("title", " ", 200).is_err());
        assert!(line("code", "abcd", 3).is_err());
        assert!(line("code", "a\tb", 9).is_err());
    }
}
