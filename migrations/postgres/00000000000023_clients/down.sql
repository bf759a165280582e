DROP INDEX tokens_fetched;
DROP TABLE client_secrets;
