/* The user program's flat image, for task.c to load. */
	.section .rodata
	.align 16
	.global user_image
user_image:
	.incbin "user.bin"
	.global user_image_end
user_image_end:
