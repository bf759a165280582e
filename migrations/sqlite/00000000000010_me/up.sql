-- The account a token was made for, which it finds at /Me; NULL: the token of a program.
ALTER TABLE tokens ADD COLUMN user_id BLOB;
