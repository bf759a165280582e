//! One spelling of a path: `/Users/` is `/Users`, and a doubled slash is one (H-09).
//!
//! The library's own middleware for this runs a regular expression over every path; nearly all of them are tidy.

use std::borrow::Cow;

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;

/// Gives the request the tidy path, query and all, before it is routed.
pub fn path(request: &mut ServiceRequest) {
    let Cow::Owned(path) = tidied(request.path()) else {
        return;
    };
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = target.parse().ok();
    // What was a path stays one with some slashes less; if not, the request goes on as it came.
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

fn tidied(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && (path.len() <= 1 || !path.ends_with('/')) {
        return Cow::Borrowed(path);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    Cow::Owned(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::tidied;

    #[test]
    fn a_path_loses_the_slashes_that_mean_nothing() {
        for (path, tidy) in [
            ("/", "/"),
            ("//", "/"),
            ("/Users", "/Users"),
            ("/Users/", "/Users"),
            ("/Users//", "/Users"),
            ("//scim///v2/Users/1/", "/scim/v2/Users/1"),
            ("/a%2F/b", "/a%2F/b"),
        ] {
            assert_eq!(tidied(path), tidy, "{path}");
        }
    }
}
