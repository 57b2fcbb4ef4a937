//! What a person can do with telecoder, tried from outside: the real binary, a fake Bot API, a fake or the
//! real claude, real git, real SQLite. One file per thing a person does.

mod support;

mod claims;
mod commands;
mod configuration;
mod counts;
mod crash_points;
mod cut_off;
mod delivery;
mod demo;
mod doctor;
mod evidence;
mod fault_matrix;
mod faults;
mod groups;
mod init;
mod inside;
mod late;
mod live;
mod manual;
mod measured;
mod observing;
mod pace;
mod people;
mod prompts;
mod pushing;
mod real_claude;
mod recordings;
mod redaction;
mod rendering;
mod restart;
mod runners;
mod sentences;
mod service;
mod service_commands;
mod service_unit;
mod sessions;
mod settings;
mod shell;
mod stopping;
mod strangers;
mod taking_back;
mod torture;
mod upkeep;
mod workspaces;
