//! Starts real servers. Each test uses a folder of its own and skips, aloud, where a server is not installed.

#[cfg(test)]
mod fetched;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod redis;
