// Read by any version of Node.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const { engines } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));

/** The oldest version of Node that runs the project, such as "24.9". */
const leastVersion = /[\d.]+/.exec(engines.node)[0];

/** Whether a version of Node, such as "24.10.0", runs the project. */
function isNewEnough(version) {
  const [leastMajor, leastMinor] = leastVersion.split('.').map(Number);
  const [major, minor] = version.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

module.exports = { isNewEnough, leastVersion };
