//! What a file is about, and which of its columns is which: by name, ignoring case, spaces and punctuation, or as people say.

use super::FileError;

crate::learning::spelled! {
    /// What the rows of a file are.
    Kind {
        /// People, each with an account.
        Learners = "learners",
        /// Who joins or leaves groups.
        Members = "members",
        /// Groups with their members and courses.
        Cohort = "cohort",
        /// Courses of groups.
        Assignments = "assignments",
        /// Who has completed what.
        Completions = "completions",
    }
}

crate::learning::spelled! {
    /// A column that we know.
    Column {
        Group = "group",
        Description = "description",
        Color = "color",
        Id = "id",
        ExternalId = "external_id",
        UserName = "user_name",
        Email = "email",
        Action = "action",
        CourseCode = "course_code",
        Mandatory = "mandatory",
        DueDate = "due_date",
        DueDays = "due_days",
        RecertMonths = "recert_months",
        GivenName = "given_name",
        FamilyName = "family_name",
        DisplayName = "display_name",
        Title = "title",
        Department = "department",
        EmployeeNumber = "employee_number",
        Locale = "locale",
        Active = "active",
        CompletedAt = "completed_at",
        Score = "score",
        Evidence = "evidence",
        SourceRef = "source_ref",
    }
}

use Column::{
    Action, Active, Color, CompletedAt, CourseCode, Department, Description, DisplayName, DueDate,
    DueDays, Email, EmployeeNumber, Evidence, ExternalId, FamilyName, GivenName, Group, Id, Locale,
    Mandatory, RecertMonths, Score, SourceRef, Title, UserName,
};

impl Kind {
    /// The columns a file of this kind may have.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Learners => &[
                UserName,
                Email,
                ExternalId,
                GivenName,
                FamilyName,
                DisplayName,
                Title,
                Department,
                EmployeeNumber,
                Locale,
                Active,
            ],
            Self::Members => &[Group, Id, ExternalId, UserName, Email, Action],
            Self::Cohort => &[
                Group,
                Description,
                Color,
                Id,
                ExternalId,
                UserName,
                Email,
                CourseCode,
                Mandatory,
                DueDate,
                DueDays,
                RecertMonths,
            ],
            Self::Assignments => &[Group, CourseCode, Mandatory, DueDate, DueDays, RecertMonths],
            Self::Completions => &[
                Id,
                ExternalId,
                UserName,
                Email,
                CourseCode,
                CompletedAt,
                Score,
                Evidence,
                SourceRef,
            ],
        }
    }

    /// What the header must have: one of each list.
    const fn needed(self) -> &'static [&'static [Column]] {
        const LEARNER: &[Column] = &[Id, ExternalId, UserName, Email];
        match self {
            Self::Learners => &[&[UserName, Email]],
            Self::Members => &[&[Group], LEARNER],
            Self::Cohort => &[&[Group]],
            Self::Assignments => &[&[Group], &[CourseCode]],
            Self::Completions => &[LEARNER, &[CourseCode], &[CompletedAt]],
        }
    }
}

/// A name as it is compared: letters and digits, lower case.
fn key(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The column a header cell names.
#[must_use]
pub fn named(kind: Kind, name: &str) -> Option<Column> {
    let wanted = key(name);
    kind.columns()
        .iter()
        .copied()
        .find(|column| key(column.as_str()) == wanted)
}

/// Which place in a row is which column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The header as it stands in the file.
    pub header: Vec<String>,
    columns: Vec<Option<Column>>,
}

impl Layout {
    /// Reads a header. `told` names columns of the file that are called otherwise. Errors: `duplicate_column`,
    /// `missing_column`, `unknown_column` of what was told.
    pub fn of(
        kind: Kind,
        header: Vec<String>,
        told: &[(Column, String)],
    ) -> Result<Self, FileError> {
        let mut columns: Vec<Option<Column>> = vec![None; header.len()];
        for (column, name) in told {
            if !kind.columns().contains(column) {
                return Err(FileError::new(
                    "unknown_column",
                    format!("a file of {kind} has no column `{column}`"),
                ));
            }
            let place = header.iter().position(|cell| key(cell) == key(name));
            match place.and_then(|place| columns.get_mut(place)) {
                Some(free @ None) => *free = Some(*column),
                Some(Some(other)) => {
                    return Err(FileError::new(
                        "duplicate_column",
                        format!("the column `{name}` cannot be `{other}` and `{column}`"),
                    ));
                }
                None => {
                    return Err(FileError::new(
                        "unknown_column",
                        format!("the file has no column `{name}`"),
                    ));
                }
            }
        }
        for (cell, column) in header.iter().zip(&mut columns) {
            if let (None, Some(named)) = (*column, named(kind, cell))
                && !told.iter().any(|(told, _)| *told == named)
            {
                *column = Some(named);
            }
        }
        for (place, column) in columns.iter().enumerate() {
            if let Some(column) = column
                && columns
                    .iter()
                    .skip(place + 1)
                    .any(|other| other == &Some(*column))
            {
                return Err(FileError::new(
                    "duplicate_column",
                    format!("two columns of the file are `{column}`"),
                ));
            }
        }
        for list in kind.needed() {
            if !list.iter().any(|one| columns.contains(&Some(*one))) {
                let names: Vec<String> = list.iter().map(|one| format!("`{one}`")).collect();
                return Err(FileError::new(
                    "missing_column",
                    format!(
                        "a file of {kind} needs a column {}; this one has {}",
                        names.join(" or "),
                        header.join(", ")
                    ),
                ));
            }
        }
        Ok(Self { header, columns })
    }

    /// The cell of a column.
    #[must_use]
    pub fn cell<'a>(&self, cells: &'a [String], column: Column) -> Option<&'a str> {
        let place = self.columns.iter().position(|one| *one == Some(column))?;
        cells.get(place).map(String::as_str)
    }

    /// Which column each known one is read from, and which columns nobody reads.
    #[must_use]
    pub fn shown(&self) -> (Vec<(Column, &str)>, Vec<&str>) {
        let (mut known, mut ignored) = (Vec::new(), Vec::new());
        for (cell, column) in self.header.iter().zip(&self.columns) {
            match column {
                Some(column) => known.push((*column, cell.as_str())),
                // What our own file of errors adds.
                None if key(cell) == "error" || cell.is_empty() => {}
                None => ignored.push(cell.as_str()),
            }
        }
        (known, ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(kind: Kind, header: &str, told: &[(Column, &str)]) -> Result<Layout, &'static str> {
        let header = header.split(',').map(str::to_owned).collect();
        let told: Vec<(Column, String)> = told
            .iter()
            .map(|(column, name)| (*column, (*name).to_owned()))
            .collect();
        Layout::of(kind, header, &told).map_err(|error| error.code)
    }

    #[test]
    fn names_are_compared_without_case_spaces_and_punctuation() {
        let row: Vec<String> = ["Sales", "ann", "a@b"].map(str::to_owned).to_vec();
        let layout = layout(Kind::Members, "GROUP,User Name,E-Mail", &[]).expect("it is whole");
        assert_eq!(layout.cell(&row, Group), Some("Sales"));
        assert_eq!(layout.cell(&row, UserName), Some("ann"));
        assert_eq!(layout.cell(&row, Email), Some("a@b"));
        assert_eq!(layout.cell(&row, Action), None);
    }

    #[test]
    fn people_say_what_a_column_is() {
        let told = [(Group, "Team"), (Email, "Adresse")];
        let layout = layout(Kind::Members, "Team,email,Adresse", &told).expect("it is whole");
        let row: Vec<String> = ["Sales", "wrong", "right"].map(str::to_owned).to_vec();
        assert_eq!(layout.cell(&row, Email), Some("right"));
        assert_eq!(layout.shown().1, ["email"]);
    }

    #[test]
    fn headers_that_cannot_be_read_are_refused() {
        for (kind, header, told, code) in [
            (Kind::Members, "group,action", &[][..], "missing_column"),
            (Kind::Members, "email", &[], "missing_column"),
            (Kind::Learners, "name", &[], "missing_column"),
            (Kind::Members, "group,Group,email", &[], "duplicate_column"),
            (
                Kind::Members,
                "group,email",
                &[(Email, "mail")],
                "unknown_column",
            ),
            (
                Kind::Members,
                "group,email",
                &[(Score, "group")],
                "unknown_column",
            ),
            (
                Kind::Members,
                "x,email",
                &[(Group, "x"), (Email, "x")],
                "duplicate_column",
            ),
        ] {
            assert_eq!(layout(kind, header, told), Err(code), "{header}");
        }
    }
}
