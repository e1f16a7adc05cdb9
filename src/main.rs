//! The program: it parses, calls, and ends with the right exit code. Everything else is in the library.

fn main() {
    std::process::exit(pfupgrade::cli::start(std::env::args_os()).code())
}
