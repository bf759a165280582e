//! How far a course is on its way to learners (§2.5).

super::spelled! {
    /// Only a published course can be assigned and enrolls; an archived one keeps everything it has.
    CourseStatus {
        Draft = "draft",
        Published = "published",
        Archived = "archived",
    }
}
