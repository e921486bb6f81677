import { openCephDoctor } from './ceph-doctor.ts';
import type { DoctorIo } from './cli/doctor-ports.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { openMysqlDoctor } from './mysql-doctor.ts';
import { openSwarmDoctor } from './providers/stack/doctor/client.ts';

/** What `understudy doctor` takes from this machine. */
export function doctorIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
): DoctorIo {
  return {
    ...output,
    clock: systemClock,
    environment,
    open: (socket) => openSwarmDoctor(socket, systemClock),
    openMysql: (path) => openMysqlDoctor(path, systemClock),
    openCeph: (path) => openCephDoctor(path, systemClock),
  };
}
