//! An ext_proc server that sets two request headers, as a Rust programmer would write it: tonic and prost, nothing tuned.
use std::env;
use std::pin::Pin;

use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy::service::ext_proc::v3::external_processor_server::{ExternalProcessor, ExternalProcessorServer};
use envoy::service::ext_proc::v3::{
    BodyResponse, CommonResponse, HeaderMutation, HeadersResponse, ProcessingRequest, ProcessingResponse, TrailersResponse,
    processing_request, processing_response,
};

#[allow(clippy::all)]
mod envoy {
    pub mod config {
        pub mod core {
            pub mod v3 {
                tonic::include_proto!("envoy.config.core.v3");
            }
        }
    }
    pub mod extensions {
        pub mod filters {
            pub mod http {
                pub mod ext_proc {
                    pub mod v3 {
                        tonic::include_proto!("envoy.extensions.filters.http.ext_proc.v3");
                    }
                }
            }
        }
    }
    pub mod r#type {
        pub mod v3 {
            tonic::include_proto!("envoy.r#type.v3");
        }
    }
    pub mod service {
        pub mod ext_proc {
            pub mod v3 {
                tonic::include_proto!("envoy.service.ext_proc.v3");
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = env::args().nth(1).ok_or("usage: noop SOCKET")?;
    let connections = UnixListenerStream::new(UnixListener::bind(socket)?);
    Server::builder().add_service(ExternalProcessorServer::new(Processor)).serve_with_incoming(connections).await?;
    Ok(())
}

struct Processor;

#[tonic::async_trait]
impl ExternalProcessor for Processor {
    type ProcessStream = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

    async fn process(&self, request: Request<Streaming<ProcessingRequest>>) -> Result<Response<Self::ProcessStream>, Status> {
        Ok(Response::new(Box::pin(request.into_inner().map(|message| message.map(|message| answer(&message))))))
    }
}

fn answer(message: &ProcessingRequest) -> ProcessingResponse {
    use processing_request::Request::*;
    use processing_response::Response;
    let response = match message.request {
        Some(RequestHeaders(_)) => Response::RequestHeaders(HeadersResponse {
            response: Some(CommonResponse {
                header_mutation: Some(HeaderMutation {
                    set_headers: vec![set("x-bench-a", "alpha"), set("x-bench-route", route(message))],
                    remove_headers: Vec::new(),
                }),
                ..CommonResponse::default()
            }),
        }),
        Some(ResponseHeaders(_)) => Response::ResponseHeaders(HeadersResponse::default()),
        Some(RequestBody(_)) => Response::RequestBody(BodyResponse::default()),
        Some(ResponseBody(_)) => Response::ResponseBody(BodyResponse::default()),
        Some(RequestTrailers(_)) => Response::RequestTrailers(TrailersResponse::default()),
        Some(ResponseTrailers(_)) | None => Response::ResponseTrailers(TrailersResponse::default()),
    };
    ProcessingResponse { response: Some(response), ..ProcessingResponse::default() }
}

/// The name of the route, so that what Envoy sent has been read and not only passed by.
fn route(message: &ProcessingRequest) -> &str {
    let value = message.attributes.get("envoy.filters.http.ext_proc").and_then(|attributes| attributes.fields.get("xds.route_name"));
    match value.and_then(|value| value.kind.as_ref()) {
        Some(prost_types::value::Kind::StringValue(name)) => name,
        _ => "",
    }
}

fn set(key: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: key.into(), value: String::new(), raw_value: value.as_bytes().to_vec() }),
        append: None,
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd as i32,
    }
}
