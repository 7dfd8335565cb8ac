export { schedulerClasses, type SchedulerName, schedulerNames } from '../../../shared/model/scheduler-name.ts';
