//! The program: it calls the library and exits with its exit code.

fn main() {
    std::process::exit(pfupgrade::cli::start(std::env::args_os()).code())
}
