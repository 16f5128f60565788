import { proveManyProcesses } from './prove-many-processes.ts';

proveManyProcesses('mysql');
