// npm's iobroker.sia as a guard centre, which nobody here wrote: prints its port, then each event that it has taken or refused,
// one JSON object a line.
//   node receiver.js ADDRESS ACCOUNT KEYHEX|-
// Only its receiver class is used; the rest of the package belongs to a home automation.
'use strict';
const { sia } = require('iobroker.sia/build/lib/sia.js');

const [address, account, key] = process.argv.slice(2);
const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');
const aes = key !== '-';
const receiver = new sia({ host: address, port: 0, timeout: 60, sockend: false });
receiver.setAccounts([{ accountnumber: account, aes, hex: aes, password: aes ? key : '' }]);
receiver.on('error', (error) => say({ kind: 'error', error: String(error) }));
receiver.on('sia', (taken, refused) => {
  if (refused) say({ kind: 'refused', why: String(refused) });
  else say({ kind: 'taken', id: taken.id, sequence: taken.seq, account: taken.act, data: taken.data_message,
             extension: taken.data_extended, stamp: taken.ts });
});
receiver.servertcp.on('listening', () => say({ kind: 'ready', port: receiver.servertcp.address().port }));
receiver.serverStartTCP();
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
