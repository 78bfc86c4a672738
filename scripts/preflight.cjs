// Run before each program by any version of Node, also one that cannot read the project's own code:
// says in one line what is missing to start it.
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { isNewEnough, leastVersion } = require('./node-version.cjs');

const root = join(__dirname, '..');

/** Why no program can be started; undefined if one can. */
function findObstacle() {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const missing = Object.keys(dependencies).filter((name) => !existsSync(join(root, 'node_modules', name)));
  if (missing.length > 0) {
    return `${missing.length} packages are not installed (${missing.slice(0, 3).join(', ')} …): run "npm ci" first`;
  }
  if (!isNewEnough(process.versions.node)) {
    return `Node ${leastVersion} or later is needed, this is ${process.versions.node}: run "npm ci" without --ignore-scripts, which brings one, and start by npm`;
  }
  return undefined;
}

/** Node takes a `.env` that it cannot read for one that does not exist, and goes on with the defaults: with an empty database. */
function findUnreadable() {
  try {
    readFileSync('.env');
    return undefined;
  } catch ({ code }) {
    if (code === 'ENOENT') return undefined;
    return `.env cannot be read (${code}), so its variables would not count: let the user read it who starts the program`;
  }
}

module.exports = { findObstacle };

if (require.main === module) {
  const obstacle = findObstacle() ?? findUnreadable();
  if (obstacle !== undefined) {
    process.stderr.write(`bubble-im: ${obstacle}\n`);
    process.exitCode = 1;
  }
}
