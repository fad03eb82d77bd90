//! Corpora: documents, chats, mixes; sources lab and files.
