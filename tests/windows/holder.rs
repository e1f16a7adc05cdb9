//! A program that holds a file open until its input ends, for tests under Wine: `alone`, or with others `reading`.

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    use std::os::windows::fs::OpenOptionsExt;
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, how] = &arguments[..] else { return Err(std::io::ErrorKind::InvalidInput.into()) };
    const SHARE_READ: u32 = 1;
    let share = if how == "reading" { SHARE_READ } else { 0 };
    let held = std::fs::OpenOptions::new().read(true).share_mode(share).open(file)?;
    println!("held");
    std::io::stdin().read_line(&mut String::new())?;
    drop(held);
    Ok(())
}

#[cfg(not(windows))]
fn main() {
    println!("files are held on Windows only");
}
