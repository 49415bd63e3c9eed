// Interrogates one node by the npm package node-echonet-lite, which nobody here wrote: search, property maps, every value.
//   node controller.js OWN_ADDRESS NODE_ADDRESS [SECONDS]
// One JSON object on standard output: what was found, the maps, the values (hexadecimal). Exit code 1: not all was answered.
// The package never repeats a question and never gives up; both are done here, as any user of it has to.
'use strict';
const EchonetLite = require('node-echonet-lite');

const [own, node, seconds] = [process.argv[2], process.argv[3], Number(process.argv[4] || 60)];
const patienceMs = 3000;
const deadline = Date.now() + seconds * 1000;
const el = new EchonetLite({ type: 'lan', netif: own });
const found = { objects: null, maps: {}, values: {}, asked: 0, answered: 0 };

function finish(code) {
  process.stdout.write(JSON.stringify(found) + '\n');
  process.exit(code);
}

// Asks again until there is an answer.
function untilAnswered(ask) {
  return new Promise((resolve) => {
    const again = () => {
      if (Date.now() > deadline) finish(1);
      ++found.asked;
      let done = false;
      const timer = setTimeout(() => { if (!done) { done = true; again(); } }, patienceMs);
      ask((error, answer) => {
        if (done || error) return;
        done = true;
        clearTimeout(timer);
        ++found.answered;
        resolve(answer);
      });
    };
    again();
  });
}

function search(callback) {
  el.startDiscovery((error, answer) => {
    if (error || !answer || answer.device.address !== node) return;
    callback(null, answer.device.eoj);
  });
  setTimeout(() => { try { el.stopDiscovery(); } catch (e) { /* it joins its group a second time */ } }, patienceMs - 100);
}

const hex = (eoj) => Buffer.from(eoj).toString('hex');

async function interrogate() {
  found.objects = (await untilAnswered(search)).map(hex);
  try { el.stopDiscovery(); } catch (e) { /* as above */ }
  for (const eoj of [[0x0e, 0xf0, 0x01], [0x05, 0xff, 0x01]]) {
    const maps = (await untilAnswered((callback) => el.getPropertyMaps(node, eoj, callback))).message.data;
    found.maps[hex(eoj)] = maps;
    found.values[hex(eoj)] = {};
    for (const epc of maps.get) {
      const answer = await untilAnswered((callback) => el.getPropertyValue(node, eoj, epc, callback));
      const property = answer.message.prop.find((p) => p.epc === epc);
      found.values[hex(eoj)][epc.toString(16)] = property && property.buffer ? property.buffer.toString('hex') : null;
    }
  }
}

el.init((error) => {
  if (error) {
    process.stderr.write(String(error) + '\n');
    process.exit(1);
  }
  interrogate().then(() => finish(0), (e) => { process.stderr.write(String(e.stack) + '\n'); process.exit(1); });
});
