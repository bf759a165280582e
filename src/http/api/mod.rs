//! The REST API under `/api/v1`: its routes in one table, which is also the list of the OpenAPI document's operations.
//!
//! A handler takes a [`Call`](call::Call), whose type names the right it needs, and describes itself with
//! `#[utoipa::path]`; one that is not described does not compile into the table.

pub mod account;
pub mod assignments;
pub mod audit;
pub mod call;
pub mod codes;
pub mod completions;
pub mod compliance;
pub mod conform;
pub mod connections;
pub mod courses;
mod described;
pub mod docs;
pub mod enrollments;
pub mod erasure;
pub mod explain;
pub mod exports;
pub mod figures;
pub mod groups;
pub mod history;
pub mod import_view;
pub mod imports;
pub mod in_flight;
pub mod input;
pub mod jobs;
pub mod learners;
pub mod linking;
pub mod members;
pub mod need;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod replay;
pub mod reply;
pub mod settings;
pub mod sheets;
pub mod suggestions;
pub mod sync;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod upload;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage as _, HttpRequest, web};

use self::problem::Failure;
use super::guard;
use crate::ids::RequestId;

/// `"/path" { method: module::handler, … }`, once for the router, the document and the test that compares them.
macro_rules! routes {
    ($($path:literal { $($method:ident: $module:ident::$handler:ident),* $(,)? })*) => {
        /// Every path below `/api/v1` with its methods.
        pub const ROUTES: &[(&str, &[&str])] = &[$(($path, &[$(stringify!($method)),*])),*];

        fn resources(app: &mut web::ServiceConfig) {
            $(
                const _: &str = $path;
                app.service(
                    web::resource($path)
                        $(.route(web::$method().to($module::$handler)))*
                        .default_service(other_method(&[$(stringify!($method)),*])),
                );
            )*
        }

        /// The operations of the document.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($module::$handler,)*)*))]
        pub(super) struct Operations;
    };
}

routes! {
    "/groups" { get: groups::list, post: groups::create }
    "/groups/{id}" { get: groups::get, patch: groups::edit, delete: groups::delete }
    "/groups/{id}/release" { post: groups::release }
    "/groups/{id}/restore" { post: history::restore }
    "/groups/{id}/timeline" { get: history::timeline }
    "/groups/{id}/members" { get: members::list, post: members::add, put: members::set }
    "/groups/{id}/members:remove" { post: members::remove_many }
    "/groups/{id}/members/{learner}" { delete: members::remove }
    "/groups/{id}/assignments" { get: assignments::list, post: assignments::assign }
    "/assignments/{id}" { get: assignments::get, patch: assignments::edit, delete: assignments::remove }
    "/courses" { get: courses::list, post: courses::create }
    "/courses/{id}" { get: courses::get, patch: courses::edit }
    "/imports" { post: imports::create }
    "/imports/{id}" { get: imports::get, delete: imports::cancel }
    "/imports/{id}/rows" { get: imports::rows }
    "/imports/{id}/errors.csv" { get: imports::errors }
    "/imports/{id}/commit" { post: imports::commit }
    "/exports/learners.csv" { get: exports::learners }
    "/exports/members.csv" { get: exports::all_members }
    "/exports/enrollments.csv" { get: exports::enrollments }
    "/exports/completions.csv" { get: exports::completions }
    "/exports/compliance.csv" { get: exports::compliance }
    "/exports/audit-events.csv" { get: exports::audit_events }
    "/exports/sync-requests.csv" { get: exports::sync_requests }
    "/groups/{id}/members.csv" { get: exports::members }
    "/jobs" { get: jobs::list }
    "/jobs/{id}" { get: jobs::get }
    "/learners:approve" { post: jobs::approve }
    "/learners" { get: learners::list, post: learners::add }
    "/learners/{id}" { get: learners::get, patch: learners::edit, delete: learners::remove }
    "/learners/{id}/history" { get: history::history }
    "/learners/{id}/approve" { post: learners::approve }
    "/learners/{id}/reject" { post: learners::reject }
    "/learners/{id}/revoke" { post: learners::revoke }
    "/learners/{id}/register" { post: learners::register }
    "/learners/{id}/link" { post: linking::link }
    "/learners/{id}/unlink" { post: linking::unlink }
    "/learners/{id}/erase" { post: erasure::erase }
    "/learner-suggestions" { get: suggestions::list }
    "/learner-suggestions/{id}/confirm" { post: suggestions::confirm }
    "/learner-suggestions/{id}/decline" { post: suggestions::decline }
    "/groups/{id}/compliance" { get: compliance::of_group }
    "/groups/{id}/progress" { get: compliance::progress }
    "/learners/{id}/compliance" { get: compliance::of_learner }
    "/enrollments" { get: enrollments::list, post: enrollments::create }
    "/enrollments/{id}" { get: enrollments::get }
    "/enrollments/{id}/withdraw" { post: enrollments::withdraw }
    "/enrollments/{id}/restart" { post: enrollments::restart }
    "/enrollments/{id}/progress" { post: enrollments::progress }
    "/enrollments/{id}/extension" { post: enrollments::extend }
    "/enrollments/{id}/waiver" { post: enrollments::waive }
    "/enrollments/{id}/exceptions/{exception}" { delete: enrollments::revoke }
    "/completions" { get: completions::list, post: completions::record }
    "/completions/{id}" { get: completions::get }
    "/completions/{id}/void" { post: completions::void }
    "/reports/compliance" { get: compliance::of_tenant }
    "/reports/expiring" { get: compliance::expiring }
    "/enrollments/{id}/explain" { get: explain::enrollment }
    "/explain" { get: explain::pair }
    "/tokens" { get: tokens::list, post: tokens::create }
    "/tokens/{jti}" { get: tokens::get, delete: tokens::revoke }
    "/tokens/{jti}/rotate" { post: tokens::rotate }
    "/connections" { get: connections::list, post: connections::create }
    "/connections/{id}" { get: connections::get, patch: connections::edit }
    "/connections/{id}/go-live" { post: connections::go_live }
    "/connections/{id}/owed" { get: connections::owed }
    "/audit-events" { get: audit::list }
    "/whoami" { get: account::whoami }
    "/plan" { get: account::plan }
    "/settings" { get: settings::get, patch: settings::edit }
    "/sync/sessions" { get: sync::sessions }
    "/sync/simulate" { post: replay::simulate }
    "/sync/requests" { get: sync::list }
    "/sync/requests:replay" { post: replay::replay_many }
    "/sync/requests/{id}/replay" { post: replay::replay_one }
    "/sync/requests/{id}" { get: sync::get }
}

/// The whole API: guarded, every answer in its shape.
pub fn configure(app: &mut web::ServiceConfig) {
    app.service(web::resource("/api/v1/openapi.json").get(openapi::document))
        .service(web::resource("/api/v1/docs").get(docs::show))
        .service(web::redirect("/api/docs", "/api/v1/docs"))
        .service(web::resource("/api/v1/docs.css").get(docs::style))
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(negotiate))
                .wrap(from_fn(guard::api_caller))
                .wrap(from_fn(finish))
                .configure(resources)
                .default_service(web::to(nothing_here)),
        );
}

fn other_method(methods: &'static [&'static str]) -> actix_web::Route {
    web::to(move || async move {
        let allowed = methods.join(", ").to_uppercase();
        Err::<actix_web::HttpResponse, _>(Failure::Method(allowed))
    })
}

async fn nothing_here(request: HttpRequest) -> Result<actix_web::HttpResponse, Failure> {
    Err(Failure::NoRoute(request.path().to_owned()))
}

/// Gives refusals their body, which names the request, and keeps answers out of caches.
async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request.extensions().get::<RequestId>().copied();
    let id = id.unwrap_or_else(RequestId::new);
    let mut answer = next.call(request).await?.map_into_boxed_body();
    let refused = answer
        .response()
        .error()
        .and_then(|error| error.as_error::<Failure>())
        .map(|failure| failure.respond(id));
    if let Some(refused) = refused {
        answer = answer.into_response(refused);
    }
    let headers = answer.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(answer)
}

/// Refuses who accepts nothing that we have; after the guard, so that strangers hear 401 alone.
async fn negotiate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if acceptable(request.headers().get(header::ACCEPT)) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let id = request.extensions().get::<RequestId>().copied();
    let refused = Failure::NotAcceptable.respond(id.unwrap_or_else(RequestId::new));
    Ok(request.into_response(refused))
}

/// Whether `Accept` admits any media type that we have.
fn acceptable(accept: Option<&HeaderValue>) -> bool {
    let Some(accept) = accept else { return true };
    let Ok(accept) = accept.to_str() else {
        return false;
    };
    accept.trim().is_empty()
        || accept.split(',').any(|one| {
            let mut parts = one.split(';');
            let kind = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let refused = parts.any(|parameter| {
                matches!(parameter.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
            });
            let ours = matches!(
                kind.as_str(),
                "*/*"
                    | "application/*"
                    | "application/json"
                    | "application/problem+json"
                    | "text/csv"
                    | "text/*"
                    | "application/x-ndjson"
            );
            ours && !refused
        })
}
