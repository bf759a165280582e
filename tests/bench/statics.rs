//! A static answer of a given size, by actix with nothing behind it: what HTTP costs by itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::load::{self, Load, Sample};
use crate::wire;

/// The other process.
pub struct Static {
    address: String,
    child: Child,
}

impl Static {
    /// Starts this program again as the static server.
    pub fn start(size: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--static", &size.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the static server starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut address)
            .expect("its address");
        Self {
            address: address.trim().to_owned(),
            child,
        }
    }

    /// Reads the answer over and over.
    pub fn load(&self, load: Load) -> Sample {
        let request = wire::request("GET", "/", &[("Accept", "application/scim+json")], None);
        load::http(load, &self.address, 200, || Some(request.clone()))
    }
}

impl Drop for Static {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The static server itself; prints its address and serves until killed.
pub fn serve(size: usize) -> ExitCode {
    let body = web::Bytes::from("x".repeat(size));
    let served = actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let body = body.clone();
            App::new().default_service(web::to(move || {
                let body = body.clone();
                async move {
                    HttpResponse::Ok()
                        .content_type("application/scim+json")
                        .insert_header(("ETag", "W/\"1\""))
                        .body(body)
                }
            }))
        })
        .bind("127.0.0.1:0")?;
        println!("{}", server.addrs()[0]);
        server.run().await
    });
    if served.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
