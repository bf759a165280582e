//! What happened, as data: the names of events and of the things they are about (§2.11).
//!
//! Joining and leaving a group has no event of its own: the membership row holds who, when, why and by which request.

use serde_json::Value;
use uuid::Uuid;

super::spelled! {
    /// What an event is about.
    Entity {
        Token = "token",
        Connection = "connection",
        Tenant = "tenant",
        Group = "group",
        Course = "course",
        Assignment = "assignment",
        Learner = "learner",
        Enrollment = "enrollment",
        Completion = "completion",
        Membership = "membership",
        Exception = "exception",
    }
}

super::spelled! {
    /// What happened.
    EventType {
        TokenCreated = "token.created",
        TokenRotated = "token.rotated",
        TokenRevoked = "token.revoked",
        ConnectionCreated = "connection.created",
        ConnectionUpdated = "connection.updated",
        ConnectionBraked = "connection.braked",
        SettingsUpdated = "settings.updated",
        GroupCreated = "group.created",
        GroupUpdated = "group.updated",
        MembersChanged = "group.members_changed",
        GroupDeleted = "group.deleted",
        GroupReleased = "group.released",
        GroupRestored = "group.restored",
        CourseCreated = "course.created",
        CourseUpdated = "course.updated",
        AssignmentCreated = "assignment.created",
        AssignmentUpdated = "assignment.updated",
        AssignmentRemoved = "assignment.removed",
        LearnerCreated = "learner.created",
        LearnerReturned = "learner.returned",
        LearnerApproved = "learner.approved",
        LearnerRejected = "learner.rejected",
        LearnerRevoked = "learner.revoked",
        LearnerRegistered = "learner.registered",
        LearnerSuspended = "learner.suspended",
        LearnerUnsuspended = "learner.unsuspended",
        LearnerActivated = "learner.activated",
        LearnerDeactivated = "learner.deactivated",
        LearnerEnded = "learner.ended",
        LearnerLinked = "learner.linked",
        LearnerUnlinked = "learner.unlinked",
        LearnerErased = "learner.erased",
        LegalHoldChanged = "learner.legal_hold_changed",
        SuggestionDeclined = "learner.suggestion_declined",
        EnrollmentCreated = "enrollment.created",
        EnrollmentReopened = "enrollment.reopened",
        EnrollmentWithdrawn = "enrollment.withdrawn",
        EnrollmentRestarted = "enrollment.restarted",
        EnrollmentProgressed = "enrollment.progressed",
        CycleOpened = "enrollment.cycle_opened",
        CompletionRecorded = "completion.recorded",
        CompletionVoided = "completion.voided",
        ExtensionGranted = "extension.granted",
        WaiverGranted = "waiver.granted",
        ExceptionRevoked = "exception.revoked",
        PlanChanged = "plan.changed",
    }
}

/// One event before it is stored; actor, request and instant come from the scope.
#[derive(Clone, Debug)]
pub struct Event {
    pub entity: Entity,
    pub entity_id: Uuid,
    pub event_type: EventType,
    /// What changed, as `{"before":…,"after":…}` or the facts of a creation.
    pub data: Value,
}
