//! Every route of the product.

use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Resource, web};

use crate::scim::error::ScimErrorKind;
use crate::scim::schema::Registry;
use crate::service::directory::Kind;

use super::error::ScimFailure;
use super::guard::{self, Provisioner};
use super::scim::{bulk, discovery, me, read, search, write};
use super::{api, health, oauth};

/// Puts every route into the application; a type of resource has its own by being in the registry.
pub fn configure(app: &mut web::ServiceConfig, registry: &Registry) {
    app.service(web::resource("/healthz").get(health::healthz))
        .service(web::resource("/readyz").get(health::readyz))
        .service(web::resource("/metrics").get(health::metrics))
        .service(web::resource("/.well-known/jwks.json").get(health::jwks))
        .service(
            web::resource("/.well-known/oauth-authorization-server")
                .route(web::get().to(oauth::metadata)),
        )
        .service(
            web::resource("/oauth2/token")
                .route(web::post().to(oauth::token))
                .default_service(web::to(oauth::only_post)),
        )
        .service(
            web::resource("/scim/v2/ServiceProviderConfig")
                .route(web::get().to(discovery::service_provider_config))
                .route(web::head().to(discovery::service_provider_config))
                .route(options(READ_ONLY))
                .default_service(method_not_allowed(READ_ONLY)),
        )
        .service(
            web::scope("/scim/v2")
                .wrap(from_fn(guard::provisioner))
                // routes are tried in order: what is asked for all day stands first
                .configure(|scim| kind(scim, "/Users", Kind::User))
                .configure(|scim| kind(scim, "/Groups", Kind::Group))
                // no search here, and `.search` is no schema's name
                .service(
                    web::resource(["/Schemas/.search", "/ResourceTypes/.search"])
                        .to(no_such_endpoint),
                )
                .service(read_only(
                    "/ResourceTypes",
                    web::get().to(discovery::resource_types),
                    web::head().to(discovery::resource_types),
                ))
                .service(read_only(
                    "/ResourceTypes/{id}",
                    web::get().to(discovery::resource_type),
                    web::head().to(discovery::resource_type),
                ))
                .service(read_only(
                    "/Schemas",
                    web::get().to(discovery::schemas),
                    web::head().to(discovery::schemas),
                ))
                .service(read_only(
                    "/Schemas/{urn}",
                    web::get().to(discovery::schema),
                    web::head().to(discovery::schema),
                ))
                .configure(|scim| {
                    for resource_type in &registry.resource_types {
                        kind(scim, &resource_type.endpoint, Kind::of(resource_type));
                    }
                })
                .service(
                    web::resource("/Bulk")
                        .route(web::post().to(bulk::bulk))
                        .route(options("OPTIONS, POST"))
                        .default_service(method_not_allowed("OPTIONS, POST")),
                )
                .service(
                    web::resource("/.search")
                        .route(web::post().to(search::search_all))
                        .route(options("OPTIONS, POST"))
                        .default_service(method_not_allowed("OPTIONS, POST")),
                )
                .service(read_only(
                    "",
                    web::get().to(search::list_all),
                    web::head().to(search::list_all),
                ))
                .service(
                    web::resource("/Me")
                        .route(web::get().to(me::get))
                        .route(web::head().to(me::get))
                        .route(web::post().to(me::create))
                        .route(web::put().to(me::replace))
                        .route(web::patch().to(me::patch))
                        .route(web::delete().to(me::delete))
                        .route(options(ON_ME))
                        .default_service(method_not_allowed(ON_ME)),
                )
                .default_service(web::to(no_such_endpoint)),
        )
        .service(
            web::resource([
                "/scim/{version:v[0-9]+}",
                "/scim/{version:v[0-9]+}/{tail:.*}",
            ])
            .to(no_such_version),
        )
        .configure(api::configure)
        .default_service(web::to(no_such_page));
}

/// The endpoints of one kind of resource.
fn kind(scim: &mut web::ServiceConfig, endpoint: &str, kind: Kind) {
    let list = move |request, who, state| search::list(kind, request, who, state);
    scim.service(
        web::resource(endpoint)
            .route(web::get().to(list))
            .route(web::head().to(list))
            .route(web::post().to(move |request, who, payload, state| {
                write::create(kind, request, who, payload, state)
            }))
            .route(options("GET, HEAD, OPTIONS, POST"))
            .default_service(method_not_allowed("GET, HEAD, OPTIONS, POST")),
    )
    .service(
        web::resource(format!("{endpoint}/.search"))
            .route(web::post().to(move |request, who, payload, state| {
                search::search(kind, request, who, payload, state)
            }))
            .route(options("OPTIONS, POST"))
            .default_service(method_not_allowed("OPTIONS, POST")),
    )
    .service(match kind {
        Kind::Membership => unchanging(endpoint, kind),
        Kind::User | Kind::Group | Kind::Other(_) => changing(endpoint, kind),
    });
}

/// One resource of a kind.
fn changing(endpoint: &str, kind: Kind) -> Resource {
    one(endpoint, kind, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT")
        .route(web::put().to(move |request, who, id, payload, state| {
            write::replace(kind, request, who, id, payload, state)
        }))
        .route(web::patch().to(move |request, who, id, payload, state| {
            write::patch(kind, request, who, id, payload, state)
        }))
}

/// One resource of a kind whose resources come and go, but never change.
fn unchanging(endpoint: &str, kind: Kind) -> Resource {
    one(endpoint, kind, "DELETE, GET, HEAD, OPTIONS")
}

fn one(endpoint: &str, kind: Kind, allow: &'static str) -> Resource {
    let get = move |request, who, id, state| read::get(kind, request, who, id, state);
    web::resource(format!("{endpoint}/{{id}}"))
        .route(web::get().to(get))
        .route(web::head().to(get))
        .route(
            web::delete()
                .to(move |request, who, id, state| write::delete(kind, request, who, id, state)),
        )
        .route(options(allow))
        .default_service(method_not_allowed(allow))
}

const ON_ME: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
const READ_ONLY: &str = "GET, HEAD, OPTIONS";

fn read_only(path: &'static str, get: actix_web::Route, head: actix_web::Route) -> Resource {
    web::resource(path)
        .route(get)
        .route(head)
        .route(options(READ_ONLY))
        .default_service(method_not_allowed(READ_ONLY))
}

fn options(allow: &'static str) -> actix_web::Route {
    web::method(actix_web::http::Method::OPTIONS).to(move |_: Provisioner| async move {
        HttpResponse::NoContent()
            .insert_header((header::ALLOW, allow))
            .finish()
    })
}

fn method_not_allowed(allow: &'static str) -> actix_web::Route {
    web::to(move |request: HttpRequest, _: Provisioner| async move {
        let detail = format!(
            "{} is not possible here; possible are {allow}",
            request.method()
        );
        let mut answer = ScimFailure::of(StatusCode::METHOD_NOT_ALLOWED, None, detail).respond();
        answer
            .headers_mut()
            .insert(header::ALLOW, header::HeaderValue::from_static(allow));
        answer
    })
}

async fn no_such_endpoint(request: HttpRequest, _: Provisioner) -> HttpResponse {
    ScimFailure::of(
        StatusCode::NOT_FOUND,
        None,
        format!("there is no endpoint {}", request.path()),
    )
    .respond()
}

async fn no_such_version(request: HttpRequest, _: Provisioner) -> HttpResponse {
    let version = request.match_info().get("version").unwrap_or_default();
    ScimFailure::of(
        StatusCode::BAD_REQUEST,
        Some(ScimErrorKind::InvalidVers),
        format!("SCIM {version} is not spoken here; use /scim/v2"),
    )
    .respond()
}

async fn no_such_page(request: HttpRequest) -> HttpResponse {
    ScimFailure::of(
        StatusCode::NOT_FOUND,
        None,
        format!("there is nothing at {}", request.path()),
    )
    .respond()
}
