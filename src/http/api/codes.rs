//! The stable codes of problems, and what to do about each. The page of the API's description shows them.

/// Code, status, and what to do.
pub const CODES: &[(&str, u16, &str)] = &[
    (
        "malformed_json",
        400,
        "Send one JSON object in UTF-8; no name may stand in it twice.",
    ),
    (
        "unknown_parameter",
        400,
        "Take a parameter that the operation lists; the nearest name is offered.",
    ),
    (
        "invalid_parameter",
        400,
        "`errors` names each wrong parameter and what it must be.",
    ),
    (
        "invalid_header",
        400,
        "`errors` names the header and what it must be.",
    ),
    (
        "bad_cursor",
        400,
        "Start the list again without `cursor`; a cursor belongs to one list.",
    ),
    (
        "bad_request",
        400,
        "The request cannot be read; `detail` says why.",
    ),
    (
        "unauthenticated",
        401,
        "Send `Authorization: Bearer` with a live token of kind `api`.",
    ),
    (
        "forbidden",
        403,
        "The token lacks a scope, which `detail` names; ask for a token that has it.",
    ),
    (
        "wrong_token_kind",
        403,
        "This is a SCIM token; the REST API takes tokens of kind `api`.",
    ),
    (
        "plan_upgrade_required",
        403,
        "Learner groups belong to the plans in `required_plans`.",
    ),
    (
        "not_found",
        404,
        "The id names nothing in this tenant; nothing says whether it names something elsewhere.",
    ),
    (
        "method_not_allowed",
        405,
        "Take a method that `Allow` lists.",
    ),
    ("not_acceptable", 406, "Accept `application/json`."),
    ("already_taken", 409, "Choose another name; it is in use."),
    (
        "already_assigned",
        409,
        "The group has the course; edit that assignment.",
    ),
    (
        "legal_hold",
        409,
        "Lift the legal hold of the learner, if you may: `legal_hold` of `PATCH /learners/{id}`.",
    ),
    (
        "erased",
        409,
        "The person was erased on request; their record is nobody's any more.",
    ),
    (
        "already_linked",
        409,
        "The learner's accounts belong to another learner, whom `detail` names.",
    ),
    (
        "ambiguous_reference",
        409,
        "Name the learner by `id`; the reference fits several.",
    ),
    (
        "conflict",
        409,
        "The present state forbids it; read the resource and decide again.",
    ),
    ("course_code_taken", 409, "Another course has this code."),
    (
        "group_name_taken",
        409,
        "Another group has this name, perhaps in other letter case.",
    ),
    (
        "idempotency_in_progress",
        409,
        "The first request with this key still runs; ask again in a moment.",
    ),
    (
        "managed_by_directory",
        409,
        "Change the group in the directory of `connection`, or release it.",
    ),
    (
        "plan_stale",
        409,
        "What the plan was made for has changed; look at the new plan.",
    ),
    (
        "not_replayable",
        409,
        "Only single writes that were rejected, failed or skipped values run again; `detail` says what is in the way.",
    ),
    (
        "superseded",
        409,
        "A later request wrote the same; look at what is there now.",
    ),
    (
        "version_conflict",
        412,
        "Somebody was faster: read again, merge, and send the present `ETag` in `If-Match`.",
    ),
    (
        "too_large",
        413,
        "Send less at once; `limit` says how much may be.",
    ),
    (
        "uri_too_long",
        414,
        "Shorten the query; the request target has a limit.",
    ),
    (
        "unsupported_media_type",
        415,
        "Send `application/json`, or `application/merge-patch+json` to PATCH.",
    ),
    (
        "validation_failed",
        422,
        "`errors` points at each wrong field and says what it must be.",
    ),
    ("course_not_published", 422, "Publish the course first."),
    (
        "idempotency_mismatch",
        422,
        "This key was used for another request; take a new one.",
    ),
    (
        "impact_confirmation_required",
        422,
        "Look at the impact and confirm it with `impact_token`.",
    ),
    (
        "learner_not_eligible",
        422,
        "`errors` says for each learner what is missing; approve them, or add them as pending.",
    ),
    (
        "recert_months_out_of_range",
        422,
        "Recertification is every 1 to 120 months.",
    ),
    (
        "precondition_required",
        428,
        "This tenant wants `If-Match` on edits: send the `ETag` you read.",
    ),
    (
        "rate_limited",
        429,
        "Slow down; `Retry-After` says for how long.",
    ),
    (
        "internal_error",
        500,
        "The server made a mistake; its log has the request of `instance`.",
    ),
    (
        "unavailable",
        503,
        "The server is busy; send the same again after `Retry-After` seconds.",
    ),
    (
        "empty_file",
        422,
        "The file has no row below its header; export it again.",
    ),
    (
        "missing_column",
        422,
        "`detail` names the column that this kind of import needs; add it or map another to it.",
    ),
    (
        "unknown_column",
        422,
        "`detail` names the column; rename it, map it, or leave it out.",
    ),
    (
        "duplicate_column",
        422,
        "Two columns mean the same; keep one.",
    ),
    (
        "too_many_rows",
        422,
        "Split the file; `detail` names the limit.",
    ),
    (
        "not_text",
        422,
        "Send CSV text in UTF-8, UTF-16 or Windows-1252, not a workbook.",
    ),
    (
        "import_not_ready",
        409,
        "The import is in another state; read it again and see `state`.",
    ),
    ("paused", 503, "An administrator paused the connection."),
];
