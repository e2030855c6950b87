/* Included before every file: string functions that cannot know how much room there is are compile errors. */
#ifndef BALLERINO_BANNED_H
#define BALLERINO_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atof
#endif
