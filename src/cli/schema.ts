import { nearest } from '../nearest.ts'
import { dynamoSchema } from '../stores/dynamo.ts'
import { mysqlSchema } from '../stores/mysql.ts'
import { postgresSchema } from '../stores/postgres.ts'
import { sqliteSchema } from '../stores/sqlite.ts'
import { type Command, UsageError } from './command.ts'

/** The statements of each dialect. */
const DIALECTS: Readonly<Record<string, (table?: string) => string>> = {
  sqlite: sqliteSchema,
  mysql: mysqlSchema,
  postgres: (table) => postgresSchema(table),
  dynamodb: dynamoSchema,
}

export const schema: Command = {
  summary: 'Prints the statements that create the table',
  positionals: ['dialect'],
  options: { table: { type: 'string' } },
  help: `Dialects: ${Object.keys(DIALECTS).join(', ')}

Options:
  --table <name>  The name of the table (sessions)

The stores create their table when it is missing, so this is for sites whose servers may not, and for migrations.`,
  async run({ positionals: [dialect = ''], values }) {
    const statements = Object.hasOwn(DIALECTS, dialect) ? DIALECTS[dialect] : undefined
    if (!statements) throw new UsageError(unknownDialect(dialect))
    const table = values['table'] as string | undefined
    if (table === '') throw new UsageError('--table must be the name of a table')
    const sql = named(statements, table).trim()
    return { text: sql, json: { dialect, table: table ?? 'sessions', sql } }
  },
}

function named(statements: (table?: string) => string, table: string | undefined): string {
  try {
    return statements(table)
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error
  }
}

function unknownDialect(dialect: string): string {
  const names = Object.keys(DIALECTS)
  const near = nearest(dialect, names)
  const hint = near ? `did you mean "${near}"?` : `there are: ${names.join(', ')}`
  return `${JSON.stringify(dialect)} is no dialect that Sojourn knows; ${hint}`
}
