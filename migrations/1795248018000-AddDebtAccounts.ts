import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What users owe: an account of the kind `debt` beside a user's account, at or below zero. The user's account names it, so
 * that who posts sees by the row that is locked anyway whether there is anything to repay. A trigger sets that name, once,
 * when the debt account is opened. It cannot be undone once somebody has owed something.
 */
export class AddDebtAccounts1795248018000 implements MigrationInterface {
  readonly name = 'AddDebtAccounts1795248018000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE ledger_accounts ADD COLUMN debt_account uuid`);
    await runner.query(`
      ALTER TABLE ledger_accounts
        DROP CONSTRAINT ledger_accounts_kind_check,
        ADD CONSTRAINT ledger_accounts_kind_check CHECK (kind IN ('user', 'system', 'debt')),
        ADD CONSTRAINT ledger_accounts_debt_check
          CHECK (kind <> 'debt' OR allow_negative AND balance <= 0 AND held = 0)
    `);
    // Index: ledger_accounts_owner_key.
    await runner.query(`
      CREATE FUNCTION ledger_name_debt() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE ledger_accounts SET debt_account = NEW.id
        WHERE owner = NEW.owner AND currency = NEW.currency AND kind = 'user' AND debt_account IS NULL;
        IF NOT FOUND THEN
          RAISE EXCEPTION 'ledger: a debt account belongs to no user account'
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
      END
      $$
    `);
    await runner.query(`
      CREATE TRIGGER ledger_accounts_name_debt AFTER INSERT ON ledger_accounts FOR EACH ROW
        WHEN (NEW.kind = 'debt') EXECUTE FUNCTION ledger_name_debt()
    `);
    for (const statement of refuseToRename()) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER ledger_accounts_refuse_rename ON ledger_accounts`);
    await runner.query(`DROP TRIGGER ledger_accounts_refuse_name ON ledger_accounts`);
    await runner.query(`DROP TRIGGER ledger_accounts_name_debt ON ledger_accounts`);
    await runner.query(`DROP FUNCTION ledger_name_debt()`);
    await runner.query(`
      ALTER TABLE ledger_accounts
        DROP CONSTRAINT ledger_accounts_debt_check,
        DROP CONSTRAINT ledger_accounts_kind_check,
        ADD CONSTRAINT ledger_accounts_kind_check CHECK (kind IN ('user', 'system')),
        DROP COLUMN debt_account
    `);
  }
}

/** Depth 0 is a statement of a client's; the trigger runs at depth 1. ALWAYS: also under session_replication_role replica. */
function refuseToRename(): string[] {
  return [
    `CREATE TRIGGER ledger_accounts_refuse_rename BEFORE UPDATE OF debt_account ON ledger_accounts
      FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change()`,
    `CREATE TRIGGER ledger_accounts_refuse_name BEFORE INSERT ON ledger_accounts
      FOR EACH ROW WHEN (NEW.debt_account IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change()`,
    `ALTER TABLE ledger_accounts ENABLE ALWAYS TRIGGER ledger_accounts_refuse_rename`,
    `ALTER TABLE ledger_accounts ENABLE ALWAYS TRIGGER ledger_accounts_refuse_name`,
  ];
}
