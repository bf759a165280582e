//! The REST API under `/api/v1`, one file per resource. What they share stands in [`exchange`].

pub mod assignments;
pub mod courses;
pub mod enrollments;
pub mod exchange;
pub mod groups;
pub mod jobs;
pub mod learners;
pub mod sync;
#[cfg(test)]
mod tests;

use actix_web::web;

/// Its routes.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/groups")
            .get(groups::list)
            .post(groups::create),
    )
    .service(
        web::resource("/groups/{id}")
            .get(groups::get)
            .patch(groups::edit)
            .delete(groups::delete),
    )
    .service(web::resource("/groups/{id}/release").post(groups::release))
    .service(
        web::resource("/groups/{id}/members")
            .get(groups::members)
            .post(groups::add_members),
    )
    .service(web::resource("/groups/{id}/members/{learner}").delete(groups::remove_member))
    .service(
        web::resource("/groups/{id}/assignments")
            .get(groups::list_assignments)
            .post(groups::assign),
    )
    .service(
        web::resource("/assignments/{id}")
            .get(assignments::get)
            .patch(assignments::edit)
            .delete(assignments::remove),
    )
    .service(
        web::resource("/courses")
            .get(courses::list)
            .post(courses::create),
    )
    .service(
        web::resource("/courses/{id}")
            .get(courses::get)
            .patch(courses::edit),
    )
    .service(web::resource("/jobs").get(jobs::list))
    .service(web::resource("/jobs/{id}").get(jobs::get))
    .service(web::resource("/learners:approve").post(jobs::approve))
    .service(web::resource("/learners").get(learners::list))
    .service(web::resource("/learners/{id}").get(learners::get))
    .service(web::resource("/learners/{id}/approve").post(learners::approve))
    .service(web::resource("/learners/{id}/reject").post(learners::reject))
    .service(web::resource("/enrollments").get(enrollments::list))
    .service(web::resource("/enrollments/{id}").get(enrollments::get))
    .service(web::resource("/enrollments/{id}/withdraw").post(enrollments::withdraw))
    .service(web::resource("/explain").get(enrollments::explain))
    .service(web::resource("/sync/requests").get(sync::list))
    .service(web::resource("/sync/requests/{id}").get(sync::get));
}
