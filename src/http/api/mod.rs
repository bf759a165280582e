//! The REST API under `/api/v1`, one file per resource.

pub mod sync;

use actix_web::web;

/// Its routes.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource("/sync/requests").get(sync::list))
        .service(web::resource("/sync/requests/{id}").get(sync::get));
}
