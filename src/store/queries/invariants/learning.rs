//! The invariants of the learning side (`learning-domain.md` §11) that a statement can judge.

use super::{Breach, Invariant};

const OURS: &str = "no request can do this: restore the row from a backup, and report it";

pub(super) const ALL: &[Invariant] = &[
    Invariant {
        name: "I-1 one enrollment per learner and course",
        meaning: "a learner has two enrollments in one course",
        remedy: OURS,
        breach: Breach::Rows {
            of: "learner",
            sql: "SELECT learner_id AS id FROM enrollments WHERE tenant_id = ? GROUP BY learner_id, course_id HAVING count(*) > 1",
        },
    },
    Invariant {
        name: "I-1 one open cycle per enrollment",
        meaning: "an enrollment has two open cycles",
        remedy: "complete or restart the enrollment, which closes all of them",
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT enrollment_id AS id FROM enrollment_cycles WHERE tenant_id = ? AND completed_at IS NULL \
                  GROUP BY enrollment_id HAVING count(*) > 1",
        },
    },
    Invariant {
        name: "every enrollment has a cycle",
        meaning: "an enrollment was never opened",
        remedy: "restart the enrollment",
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT e.id FROM enrollments e WHERE e.tenant_id = ? AND NOT EXISTS \
                  (SELECT 1 FROM enrollment_cycles y WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id)",
        },
    },
    Invariant {
        name: "every enrollment has a reason",
        meaning: "nobody can say why the learner is enrolled",
        remedy: "enroll the learner by hand, which writes the reason",
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT e.id FROM enrollments e WHERE e.tenant_id = ? AND NOT EXISTS \
                  (SELECT 1 FROM enrollment_reasons r WHERE r.tenant_id = e.tenant_id AND r.learner_id = e.learner_id AND r.course_id = e.course_id)",
        },
    },
    Invariant {
        name: "every reason has its enrollment",
        meaning: "a reason was written without the enrollment it explains",
        remedy: OURS,
        breach: Breach::Rows {
            of: "reason",
            sql: "SELECT r.id FROM enrollment_reasons r WHERE r.tenant_id = ? AND NOT EXISTS \
                  (SELECT 1 FROM enrollments e WHERE e.tenant_id = r.tenant_id AND e.learner_id = r.learner_id AND e.course_id = r.course_id)",
        },
    },
    Invariant {
        name: "a withdrawn enrollment has no live reason",
        meaning: "somebody withdrawn is still obliged",
        remedy: "enroll the learner again and withdraw them again",
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT e.id FROM enrollments e WHERE e.tenant_id = ? AND e.withdrawn_at IS NOT NULL AND EXISTS \
                  (SELECT 1 FROM enrollment_reasons r WHERE r.tenant_id = e.tenant_id AND r.learner_id = e.learner_id \
                  AND r.course_id = e.course_id AND r.ended_at IS NULL)",
        },
    },
    // What a job ends step by step has ended in the eyes of everybody else.
    Invariant {
        name: "a live group reason has a live membership and assignment",
        meaning: "an obligation outlives its cause",
        remedy: OURS,
        breach: Breach::Rows {
            of: "reason",
            sql: "SELECT r.id FROM enrollment_reasons r \
                  LEFT JOIN memberships m ON m.tenant_id = r.tenant_id AND m.id = r.membership_id AND m.ended_at IS NULL \
                  LEFT JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id AND a.ended_at IS NULL \
                  WHERE r.tenant_id = ? AND r.kind = 'group' AND r.ended_at IS NULL AND (m.id IS NULL OR a.id IS NULL) \
                  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.tenant_id = r.tenant_id AND j.state = 'waiting' \
                  AND ((j.kind = 'end_group' AND j.subject_id = r.group_id) OR (j.kind = 'end_assignment' AND j.subject_id = r.assignment_id)))",
        },
    },
    Invariant {
        name: "every completion has its enrollment",
        meaning: "a record of a course nobody is known to have taken",
        remedy: "enroll the learner in the course by hand",
        breach: Breach::Rows {
            of: "completion",
            sql: "SELECT c.id FROM completions c WHERE c.tenant_id = ? AND NOT EXISTS \
                  (SELECT 1 FROM enrollments e WHERE e.tenant_id = c.tenant_id AND e.learner_id = c.learner_id AND e.course_id = c.course_id)",
        },
    },
    Invariant {
        name: "a completed cycle has its completion",
        meaning: "a cycle says completed and no record says by what",
        remedy: "record the completion, or restart the enrollment",
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT e.id FROM enrollment_cycles y \
                  JOIN enrollments e ON e.tenant_id = y.tenant_id AND e.id = y.enrollment_id \
                  WHERE y.tenant_id = ? AND y.completed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM completions c \
                  WHERE c.tenant_id = e.tenant_id AND c.learner_id = e.learner_id AND c.course_id = e.course_id AND c.cycle_n = y.n)",
        },
    },
    Invariant {
        name: "I-3 no enrollment goes away",
        meaning: "an enrollment that was made is not there any more",
        remedy: OURS,
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT v.entity_id AS id FROM events v WHERE v.tenant_id = ? AND v.event_type = 'enrollment.created' AND NOT EXISTS \
                  (SELECT 1 FROM enrollments e WHERE e.tenant_id = v.tenant_id AND e.id = v.entity_id)",
        },
    },
    Invariant {
        name: "I-3 no cycle goes away",
        meaning: "the cycles of an enrollment have a hole",
        remedy: OURS,
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT enrollment_id AS id FROM enrollment_cycles WHERE tenant_id = ? GROUP BY enrollment_id \
                  HAVING max(n) <> count(*) OR min(n) <> 1",
        },
    },
    Invariant {
        name: "I-3 nobody is withdrawn but by a person",
        meaning: "an enrollment is withdrawn and nobody withdrew it",
        remedy: "enroll the learner again, which takes the withdrawal back",
        breach: Breach::Rows {
            of: "enrollment",
            sql: "SELECT e.id FROM enrollments e WHERE e.tenant_id = ? AND e.withdrawn_at IS NOT NULL AND NOT EXISTS \
                  (SELECT 1 FROM events v WHERE v.tenant_id = e.tenant_id AND v.entity_id = e.id AND v.event_type = 'enrollment.withdrawn')",
        },
    },
    Invariant {
        name: "I-4 no reason is older than what it follows from",
        meaning: "somebody was enrolled before they were a member",
        remedy: OURS,
        breach: Breach::Rows {
            of: "reason",
            sql: "SELECT r.id FROM enrollment_reasons r \
                  JOIN memberships m ON m.tenant_id = r.tenant_id AND m.id = r.membership_id \
                  WHERE r.tenant_id = ? AND r.recorded_at <> 0 AND r.recorded_at < m.added_at",
        },
    },
    // The ends of a period are left out: two changes of one instant leave one row.
    Invariant {
        name: "I-4 nobody is enrolled by a group who could not be",
        meaning: "a group enrolled somebody who was not registered, approved and active at that instant",
        remedy: "withdraw the enrollment, and report how it came about",
        breach: Breach::Rows {
            of: "reason",
            sql: "SELECT r.id FROM enrollment_reasons r JOIN learner_periods p ON p.tenant_id = r.tenant_id AND p.learner_id = r.learner_id \
                  AND p.began_at < r.recorded_at AND p.ended_at > r.recorded_at \
                  WHERE r.tenant_id = ? AND r.kind = 'group' AND NOT (p.registration = 'registered' AND p.approval = 'approved' \
                  AND p.active AND NOT p.suspended AND NOT p.deleted) \
                  UNION ALL SELECT r.id FROM enrollment_reasons r JOIN learners l ON l.tenant_id = r.tenant_id AND l.id = r.learner_id \
                  WHERE r.tenant_id = ? AND r.kind = 'group' AND NOT (l.registration = 'registered' AND l.approval = 'approved' \
                  AND l.active AND NOT l.suspended AND l.deleted_at IS NULL) AND r.recorded_at > COALESCE((SELECT max(p.ended_at) \
                  FROM learner_periods p WHERE p.tenant_id = l.tenant_id AND p.learner_id = l.id), l.created_at)",
        },
    },
    Invariant {
        name: "a past of a learner ends before the next begins",
        meaning: "two answers to what a learner was at an instant",
        remedy: OURS,
        breach: Breach::Rows {
            of: "learner",
            sql: "SELECT p.learner_id AS id FROM learner_periods p WHERE p.tenant_id = ? AND (p.began_at > p.ended_at OR EXISTS \
                  (SELECT 1 FROM learner_periods q WHERE q.tenant_id = p.tenant_id AND q.learner_id = p.learner_id \
                  AND q.ended_at > p.ended_at AND q.began_at < p.ended_at))",
        },
    },
    Invariant {
        name: "a live membership has both ends",
        meaning: "a membership of a group, learner or account that is gone",
        remedy: "remove the member from the group",
        breach: Breach::Rows {
            of: "membership",
            sql: "SELECT m.id FROM memberships m \
                  LEFT JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL \
                  LEFT JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id AND l.deleted_at IS NULL \
                  LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id AND u.learner_id = m.learner_id AND u.deleted_at IS NULL \
                  WHERE m.tenant_id = ? AND m.ended_at IS NULL AND (g.id IS NULL OR l.id IS NULL OR u.id IS NULL) \
                  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.tenant_id = m.tenant_id AND j.state = 'waiting' \
                  AND j.kind = 'end_group' AND j.subject_id = m.group_id)",
        },
    },
    Invariant {
        name: "I-5 one live membership per group and learner",
        meaning: "a learner is in one group twice",
        remedy: "remove the learner from the group and add them again",
        breach: Breach::Rows {
            of: "learner",
            sql: "SELECT learner_id AS id FROM memberships WHERE tenant_id = ? AND ended_at IS NULL \
                  GROUP BY group_id, learner_id HAVING count(*) > 1",
        },
    },
    Invariant {
        name: "I-5 an ended period stays ended",
        meaning: "a membership lives that had ended",
        remedy: "remove the member and add them again, which opens a new period",
        breach: Breach::Rows {
            of: "membership",
            sql: "SELECT m.id FROM memberships m WHERE m.tenant_id = ? AND m.ended_at IS NULL \
                  AND (m.ended_by IS NOT NULL OR m.end_cause IS NOT NULL OR m.ended_request_id IS NOT NULL)",
        },
    },
    // A lock that was off at some time has left an event that says so.
    Invariant {
        name: "I-5 only its directory writes the members of a locked group",
        meaning: "a locked group has members whom its directory did not send",
        remedy: "release the group, or let the directory send its members once more",
        breach: Breach::Rows {
            of: "membership",
            sql: "SELECT m.id FROM memberships m \
                  JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.managed_by IS NOT NULL \
                  JOIN connections k ON k.tenant_id = g.tenant_id AND k.id = g.managed_by AND k.lock_groups \
                  WHERE m.tenant_id = ? AND m.source <> 'scim' AND NOT EXISTS (SELECT 1 FROM events v WHERE v.tenant_id = k.tenant_id \
                  AND v.entity_id = k.id AND v.data LIKE '%\"lock_groups\":false%')",
        },
    },
    Invariant {
        name: "I-6 a repeated request changes nothing",
        meaning: "a request that is logged as changing nothing changed something",
        remedy: OURS,
        breach: Breach::Rows {
            of: "request",
            sql: "SELECT s.id FROM sync_requests s WHERE s.tenant_id = ? AND s.outcome = 'no_op' \
                  AND s.members_added + s.members_ended + s.enrollments > 0",
        },
    },
    Invariant {
        name: "I-6 a cause is written down once",
        meaning: "one membership and one assignment oblige a learner twice",
        remedy: OURS,
        breach: Breach::Rows {
            of: "membership",
            sql: "SELECT r.membership_id AS id FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.membership_id IS NOT NULL \
                  GROUP BY r.membership_id, r.assignment_id HAVING count(*) > 1",
        },
    },
    Invariant {
        name: "I-7 what has ended follows from what is, not from how it came",
        meaning: "a reason has ended though its member and its course are both still in the group, and nobody withdrew it",
        remedy: "remove the member and add them again",
        breach: Breach::Rows {
            of: "reason",
            sql: "SELECT r.id FROM enrollment_reasons r \
                  JOIN memberships m ON m.tenant_id = r.tenant_id AND m.id = r.membership_id AND m.ended_at IS NULL \
                  JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id AND a.ended_at IS NULL \
                  WHERE r.tenant_id = ? AND r.ended_at IS NOT NULL AND r.end_cause <> 'withdrawn'",
        },
    },
    Invariant {
        name: "I-7 a learner is active by their accounts alone",
        meaning: "the accounts of a learner say something else about being active than the learner does",
        remedy: "let the directory send `active` once more, first the other way round",
        breach: Breach::Rows {
            of: "learner",
            sql: "SELECT l.id FROM learners l WHERE l.tenant_id = ? AND l.deleted_at IS NULL \
                  AND EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = l.tenant_id AND u.learner_id = l.id AND u.deleted_at IS NULL) \
                  AND l.active <> EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = l.tenant_id AND u.learner_id = l.id \
                  AND u.deleted_at IS NULL AND u.active)",
        },
    },
    Invariant {
        name: "I-10 no completion is dated after it was recorded",
        meaning: "a certificate would hold longer than anybody earned",
        remedy: "void the completion and record it with its date",
        breach: Breach::Rows {
            of: "completion",
            sql: "SELECT c.id FROM completions c WHERE c.tenant_id = ? AND c.voided_at IS NULL AND (c.completed_at > c.recorded_at OR c.completed_at < 0)",
        },
    },
    Invariant {
        name: "I-11 an assignment's terms are those of its newest version",
        meaning: "the group shows other terms than its members are judged by",
        remedy: "edit the assignment, which writes both",
        breach: Breach::Rows {
            of: "assignment",
            sql: "SELECT a.id FROM assignments a JOIN assignment_versions v ON v.tenant_id = a.tenant_id AND v.assignment_id = a.id \
                  AND v.version = a.version WHERE a.tenant_id = ? AND (v.mandatory <> a.mandatory \
                  OR COALESCE(v.due_date, '') <> COALESCE(a.due_date, '') OR COALESCE(v.due_days, -1) <> COALESCE(a.due_days, -1) \
                  OR COALESCE(v.recert_months, 0) <> COALESCE(a.recert_months, 0))",
        },
    },
    Invariant {
        name: "I-13 every reason keeps its snapshot",
        meaning: "nobody can read any more why the learner was enrolled",
        remedy: OURS,
        breach: Breach::Rows {
            of: "reason",
            sql: "SELECT r.id FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.kind = 'group' \
                  AND (r.group_name IS NULL OR r.group_id IS NULL OR r.assignment_id IS NULL OR r.membership_id IS NULL)",
        },
    },
    Invariant {
        name: "I-14 what was refused or rehearsed left nothing",
        meaning: "a request that was taken back has left rows",
        remedy: OURS,
        breach: Breach::Rows {
            of: "request",
            sql: "SELECT s.id FROM sync_requests s WHERE s.tenant_id = ? AND s.http_status >= 400 \
                  AND (EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = s.tenant_id AND m.request_id = s.id) \
                  OR EXISTS (SELECT 1 FROM enrollment_reasons r WHERE r.tenant_id = s.tenant_id AND r.request_id = s.id))",
        },
    },
    Invariant {
        name: "a live assignment has a live group",
        meaning: "a course is assigned to a group that is gone",
        remedy: OURS,
        breach: Breach::Rows {
            of: "assignment",
            sql: "SELECT a.id FROM assignments a WHERE a.tenant_id = ? AND a.ended_at IS NULL AND NOT EXISTS \
                  (SELECT 1 FROM learner_groups g WHERE g.tenant_id = a.tenant_id AND g.id = a.group_id AND g.deleted_at IS NULL)",
        },
    },
    Invariant {
        name: "an assignment's version is its newest version row",
        meaning: "the history of an assignment's options has a hole",
        remedy: OURS,
        breach: Breach::Rows {
            of: "assignment",
            sql: "SELECT a.id FROM assignments a WHERE a.tenant_id = ? AND a.version <> COALESCE((SELECT max(v.version) \
                  FROM assignment_versions v WHERE v.tenant_id = a.tenant_id AND v.assignment_id = a.id), 0)",
        },
    },
];
