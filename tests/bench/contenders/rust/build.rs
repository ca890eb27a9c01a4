//! Types and codecs from the same proto files that the engine's are made from; `PROTOC` names the compiler.
fn main() -> std::io::Result<()> {
    tonic_prost_build::configure().build_client(false).compile_protos(
        &["../../../../proto/envoy/service/ext_proc/v3/external_processor.proto"],
        &["../../../../proto"],
    )
}
