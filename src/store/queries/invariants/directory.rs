//! The invariants of accounts, groups and what is kept to find them, and that no row belongs to another tenant.

use super::{Breach, Invariant};

const OURS: &str = "no request can do this: restore the row from a backup, and report it";
const COUNT: &str =
    "set the sum of its rows in `counters` to the number of live rows while no server runs";
const WRITE: &str = "replace the resource with what it is, which writes its values anew";

pub(super) const ALL: &[Invariant] = &[
    Invariant {
        name: "every account names its learner",
        meaning: "an account without a person, or a live account of a person who has ended",
        remedy: "delete the account and create it again",
        breach: Breach::Rows {
            of: "user",
            sql: "SELECT u.id FROM users u LEFT JOIN learners l ON l.tenant_id = u.tenant_id AND l.id = u.learner_id \
                  WHERE u.tenant_id = ? AND (l.id IS NULL OR (u.deleted_at IS NULL AND l.deleted_at IS NOT NULL))",
        },
    },
    Invariant {
        name: "B49 who was erased has left nothing personal",
        meaning: "an account, an address or a key of a person who was erased on request",
        remedy: "erase the learner once more, after reporting how it came",
        breach: Breach::Rows {
            of: "learner",
            sql: "SELECT x.learner_id AS id FROM erasures x JOIN learners l ON l.tenant_id = x.tenant_id AND l.id = x.learner_id \
                  WHERE x.tenant_id = ? AND (l.email IS NOT NULL OR l.deleted_at IS NULL OR (x.kept_until IS NULL AND l.anonymized_at IS NULL) \
                  OR EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = l.tenant_id AND u.learner_id = l.id \
                  AND (u.deleted_at IS NULL OR u.user_name <> '' OR u.external_id IS NOT NULL OR u.doc <> '{}')))",
        },
    },
    Invariant {
        name: "I-12 what refers to something finds it in its own tenant",
        meaning: "a row refers to what is not there, or is another tenant's",
        remedy: OURS,
        breach: Breach::Rows {
            of: "row",
            sql: "SELECT e.id FROM enrollments e LEFT JOIN learners l ON l.tenant_id = e.tenant_id AND l.id = e.learner_id \
                  LEFT JOIN courses c ON c.tenant_id = e.tenant_id AND c.id = e.course_id \
                  WHERE e.tenant_id = ? AND (l.id IS NULL OR c.id IS NULL) \
                  UNION ALL SELECT r.id FROM enrollment_reasons r \
                  LEFT JOIN memberships m ON m.tenant_id = r.tenant_id AND m.id = r.membership_id \
                  LEFT JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id \
                  LEFT JOIN learner_groups g ON g.tenant_id = r.tenant_id AND g.id = r.group_id \
                  WHERE r.tenant_id = ? AND r.kind = 'group' AND (m.id IS NULL OR a.id IS NULL OR g.id IS NULL \
                  OR m.learner_id <> r.learner_id OR m.group_id <> r.group_id OR a.group_id <> r.group_id OR a.course_id <> r.course_id) \
                  UNION ALL SELECT m.id FROM memberships m \
                  LEFT JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
                  LEFT JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id \
                  WHERE m.tenant_id = ? AND (l.id IS NULL OR g.id IS NULL) \
                  UNION ALL SELECT a.id FROM assignments a \
                  LEFT JOIN courses c ON c.tenant_id = a.tenant_id AND c.id = a.course_id \
                  LEFT JOIN learner_groups g ON g.tenant_id = a.tenant_id AND g.id = a.group_id \
                  WHERE a.tenant_id = ? AND (c.id IS NULL OR g.id IS NULL) \
                  UNION ALL SELECT g.id FROM learner_groups g \
                  LEFT JOIN connections k ON k.tenant_id = g.tenant_id AND k.id = g.managed_by \
                  WHERE g.tenant_id = ? AND g.managed_by IS NOT NULL AND k.id IS NULL \
                  UNION ALL SELECT u.id FROM users u \
                  LEFT JOIN connections k ON k.tenant_id = u.tenant_id AND k.id = u.connection_id \
                  WHERE u.tenant_id = ? AND u.connection_id IS NOT NULL AND k.id IS NULL \
                  UNION ALL SELECT x.id FROM exceptions x LEFT JOIN enrollment_reasons r ON r.tenant_id = x.tenant_id AND r.id = x.reason_id \
                  WHERE x.tenant_id = ? AND x.reason_id IS NOT NULL AND r.id IS NULL \
                  UNION ALL SELECT o.reason_id AS id FROM reason_outcomes o \
                  LEFT JOIN enrollment_reasons r ON r.tenant_id = o.tenant_id AND r.id = o.reason_id \
                  LEFT JOIN completions c ON c.tenant_id = o.tenant_id AND c.id = o.completion_id \
                  WHERE o.tenant_id = ? AND (r.id IS NULL OR c.id IS NULL) \
                  UNION ALL SELECT y.enrollment_id AS id FROM enrollment_cycles y \
                  LEFT JOIN enrollments e ON e.tenant_id = y.tenant_id AND e.id = y.enrollment_id \
                  WHERE y.tenant_id = ? AND e.id IS NULL",
        },
    },
    Invariant {
        name: "searchable values belong to live accounts",
        meaning: "a filter may find an account that is gone",
        remedy: WRITE,
        breach: Breach::Rows {
            of: "user",
            sql: "SELECT v.user_id AS id FROM user_values v WHERE v.tenant_id = ? AND NOT EXISTS \
                  (SELECT 1 FROM users u WHERE u.tenant_id = v.tenant_id AND u.id = v.user_id AND u.deleted_at IS NULL)",
        },
    },
    Invariant {
        name: "values of operators' attributes have a resource",
        meaning: "a search could find what is gone",
        remedy: WRITE,
        breach: Breach::Rows {
            of: "resource",
            sql: "SELECT v.resource_id AS id FROM resource_values v WHERE v.tenant_id = ? AND NOT EXISTS \
                  (SELECT 1 FROM users u WHERE u.tenant_id = v.tenant_id AND u.id = v.resource_id AND u.deleted_at IS NULL) \
                  AND NOT EXISTS (SELECT 1 FROM learner_groups g WHERE g.tenant_id = v.tenant_id AND g.id = v.resource_id AND g.deleted_at IS NULL) \
                  AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.tenant_id = v.tenant_id AND r.id = v.resource_id)",
        },
    },
    Invariant {
        name: "versions are positive (resources)",
        meaning: "an ETag could repeat",
        remedy: WRITE,
        breach: Breach::Rows {
            of: "resource",
            sql: "SELECT id FROM resources WHERE tenant_id = ? AND version < 1",
        },
    },
    Invariant {
        name: "the counters of other resources are right",
        meaning: "totalResults would lie",
        remedy: COUNT,
        breach: Breach::Number(
            "SELECT count(*) AS n FROM (SELECT t.resource_type, count(*) AS found, \
             (SELECT COALESCE(sum(c.value), 0) FROM counters c WHERE c.tenant_id = ? AND c.name = 'resources ' || t.resource_type) AS counted \
             FROM resources t WHERE t.tenant_id = ? GROUP BY t.resource_type) x WHERE x.found <> x.counted",
        ),
    },
    Invariant {
        name: "versions are positive (users)",
        meaning: "an ETag could repeat",
        remedy: WRITE,
        breach: Breach::Rows {
            of: "user",
            sql: "SELECT id FROM users WHERE tenant_id = ? AND version < 1",
        },
    },
    Invariant {
        name: "versions are positive (groups)",
        meaning: "an ETag could repeat",
        remedy: WRITE,
        breach: Breach::Rows {
            of: "group",
            sql: "SELECT id FROM learner_groups WHERE tenant_id = ? AND version < 1",
        },
    },
    Invariant {
        name: "the counter of users is right",
        meaning: "totalResults would lie",
        remedy: COUNT,
        breach: Breach::Number(
            "SELECT abs(CAST((SELECT COALESCE(sum(value), 0) FROM counters WHERE tenant_id = ? AND name = 'users') AS BIGINT) \
             - (SELECT count(*) FROM users WHERE tenant_id = ? AND deleted_at IS NULL)) AS n",
        ),
    },
    Invariant {
        name: "the counter of groups is right",
        meaning: "totalResults would lie",
        remedy: COUNT,
        breach: Breach::Number(
            "SELECT abs(CAST((SELECT COALESCE(sum(value), 0) FROM counters WHERE tenant_id = ? AND name = 'groups') AS BIGINT) \
             - (SELECT count(*) FROM learner_groups WHERE tenant_id = ? AND deleted_at IS NULL)) AS n",
        ),
    },
];
